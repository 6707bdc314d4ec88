# demo/chat/ws
#
# VERSION 1.0
FROM cabestan/node:18

RUN install-packages node-ws

WORKDIR /home/app
COPY server.js ./

USER 1001
EXPOSE 9000

CMD ["node", "server.js"]
