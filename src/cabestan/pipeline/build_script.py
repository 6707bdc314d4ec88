"""What a build job's container runs: fetch the source, build the image on the project's builder, push it, say which."""

BUILD_SCRIPT = r"""
set -euo pipefail
say() { printf '\033[1;36m%s\033[0m\n' "$*"; }
fail() { printf '\033[1;31m%s\033[0m\n' "$*" >&2; exit 1; }

say "Building $IMAGE of commit ${CI_COMMIT_SHA:0:10}"
readonly WORK=/tmp/build
export HOME=/tmp DOCKER_CONFIG=/tmp/docker DOCKER_HOST=unix:///run/builder/docker.sock
mkdir -p "$WORK" /tmp/registry

# no secret is an argument: those of all processes can be read
printf 'Authorization: Bearer %s\n' "$(head -n 1 "$TOKEN_FILE")" > /tmp/token
printf '{"auths": {"%s": {"registrytoken": "%s"}}}' "$CI_REGISTRY" "$(sed -n 2p "$TOKEN_FILE")" \
    > /tmp/registry/config.json

# ask PATH CURL-OPTION...: of the server, which may be restarting just now: while nobody answers, ask again
ask() {
    local patience=$((SECONDS + 600)) code
    while :; do
        code=$(curl --silent --noproxy '*' --max-time 900 --header @/tmp/token --output /tmp/answer \
            --write-out '%{http_code}' --unix-socket /run/gate/server.sock "${@:2}" \
            "http://server/internal/jobs/$CI_JOB_ID/$1") || code=000
        case $code in
            2??) return ;;
            4??) fail "$(cat /tmp/answer)" ;;
        esac
        ((SECONDS < patience)) || fail "The server does not answer (${code}): \`cabestan doctor\` looks why."
        sleep 0.5
    done
}

# A build that fails because its engine stops is no failure of the build: 255 has it run again.
ended() {
    local status=$?
    [ "$status" = 0 ] || docker version >/dev/null 2>&1 || exit 255
    exit "$status"
}

ask source
tar --extract --file /tmp/answer --directory "$WORK" --no-same-owner
rm /tmp/answer
[ ! -e "$WORK/refused" ] || fail "$(cat "$WORK/refused")"

# engine PATH: the status with which the builder answers, which was perhaps started just before; 000 where it does not
engine() {
    local code
    for _ in {1..1200}; do
        code=$(curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' \
            --unix-socket /run/builder/docker.sock "http://builder/$1") && break
        sleep 0.05
    done
    echo "$code"
}

# The builder has no way to the registry but this one, and none while the Dockerfile's own instructions run.
readonly WAY=/run/builder/registry/$CI_JOB_ID-$ATTEMPT.sock
open_way() {
    mkdir -p /run/builder/registry
    socat "UNIX-LISTEN:$WAY,fork,unlink-early" UNIX-CONNECT:/run/gate/registry.sock 2>/dev/null &
    while ! [ -S "$WAY" ]; do sleep 0.005; done
}
close_way() { kill %1 && wait %1 || :; rm -f "$WAY"; } 2>/dev/null

with_login() { DOCKER_CONFIG=/tmp/registry docker "$@"; }
missing=()
while read -r base; do
    [ -z "$base" ] || [ "$(engine "images/$base/json")" = 200 ] || missing+=("$base")
done < "$WORK/bases"
[ -s "$WORK/bases" ] || engine _ping >/dev/null
trap ended EXIT
if [ ${#missing[@]} -gt 0 ]; then
    open_way
    for base in "${missing[@]}"; do
        say "docker pull $base"
        with_login pull --quiet "$base"
    done
    close_way
fi

arguments=()
while IFS= read -r line; do [ -z "$line" ] || arguments+=(--build-arg "$line"); done <<< "$BUILD_ARGUMENTS"
for name in $PROXY_ARGUMENTS; do arguments+=(--build-arg "$name"); done
[ -z "$TARGET" ] || arguments+=(--target "$TARGET")
if [ -f "$WORK/authorities.crt" ]; then
    cat /etc/ssl/certs/ca-certificates.crt "$WORK/authorities.crt" > /tmp/authorities.crt
    arguments+=(--secret id=cabestan-authorities,src=/tmp/authorities.crt)
fi
# A name of this try's own: nothing that anybody else built is ever named so.
readonly NAME=$IMAGE:job-$CI_JOB_ID-$ATTEMPT
say "docker build --file $DOCKERFILE $CONTEXT"
# what `docker build` is, without the tenth of a second in which `docker` looks for it
/usr/libexec/docker/cli-plugins/docker-buildx build --progress plain --file "$WORK/Dockerfile" \
    "${arguments[@]}" --tag "$NAME" \
    --build-arg "BUILDKIT_CACHE_MOUNT_NS=$CACHE" \
    --label "org.opencontainers.image.revision=$CI_COMMIT_SHA" --label "cabestan.project=$CI_PROJECT_PATH" \
    -- "$WORK/context" 2>&1 | cat

open_way
# A registry that is replaced, by `cabestan up` or after a crash, is back within seconds.
push() {
    local pause
    for pause in 0 1 2 4; do
        sleep "$pause"
        say "docker push $1"
        if with_login push "$1" 2>&1 | tee /tmp/pushed; then return; fi
    done
    return 1
}
push "$NAME"
close_way
digest=$(sed -n 's/.* digest: \(sha256:[0-9a-f]\{64\}\) size: .*/\1/p' /tmp/pushed | tail -n 1)
[ -n "$digest" ] || fail "The registry gave no digest. \`cabestan doctor\` looks at it; then retry."
docker image rm "$NAME" >/dev/null &
ask image --request PUT --header 'Content-Type: application/json' --data "{\"digest\": \"$digest\"}"
wait
say "Pushed $IMAGE@$digest"
"""
