"""What a build job's container runs: clone the commit, build the image, push it under each of its tags."""

BUILD_SCRIPT = r"""
set -euo pipefail
say() { printf '\033[1;36m%s\033[0m\n' "$*"; }

say "Building $IMAGE of commit ${CI_COMMIT_SHA:0:10}"
export GIT_TERMINAL_PROMPT=0 HOME=/tmp DOCKER_CONFIG=/tmp/docker DOCKER_BUILDKIT=1
git config --global credential.helper '!f() { echo username=job; echo "password=$(head -n 1 "$TOKEN_FILE")"; }; f'
git config --global init.defaultBranch main
git config --global advice.detachedHead false
readonly NO_ANSWER='unable to access|hung up|early EOF|RPC failed|returned error: 5|disconnect'
git init --quiet "$CI_PROJECT_DIR"
cd "$CI_PROJECT_DIR"
git remote add origin "$CI_REPOSITORY_URL"

# The server may be restarting just now: while nobody answers, ask again.
patience=$((SECONDS + 600))
until git fetch --quiet --depth 20 origin "$CI_COMMIT_SHA" 2>/tmp/refusal; do
    if grep -q 'returned error: 4' /tmp/refusal || ! grep -Eq "$NO_ANSWER" /tmp/refusal || ((SECONDS > patience)); then
        cat /tmp/refusal >&2
        exit 1
    fi
    sleep 0.5
done
git checkout --quiet FETCH_HEAD

# Images of this repository are taken as built for this very commit, those of the platform under their full names.
awk '
BEGIN {
    count = split(ENVIRON["REWRITES"], lines, "\n")
    for (i = 1; i <= count; i++) {
        split(lines[i], words, " ")
        last[words[1]] = words[2]
        text[words[1]] = substr(lines[i], length(words[1]) + length(words[2]) + 3)
    }
}
{ sub(/\r$/, "") }
NR in text { print text[NR]; through = last[NR] }
NR > through + 0 { print }
' "$DOCKERFILE" > /tmp/Dockerfile

arguments=()
while IFS= read -r line; do [ -z "$line" ] || arguments+=(--build-arg "$line"); done <<< "$BUILD_ARGUMENTS"
[ -z "${TARGET:-}" ] || arguments+=(--target "$TARGET")
tags=()
for tag in $TAGS; do tags+=(--tag "$IMAGE:$tag"); done

# A build that fails because the engine stops is no failure of the build: 255 has it run again.
ended() {
    local status=$?
    docker version >/dev/null 2>&1 || exit 255
    exit "$status"
}
trap ended EXIT

# The registry's login is not for the build: with it, a Dockerfile could look at images of other projects.
mkdir -p /tmp/registry
printf '{"auths": {"%s": {"auth": "%s"}}}' "$CI_REGISTRY" "$(sed -n 2p "$TOKEN_FILE")" > /tmp/registry/config.json
with_login() { DOCKER_CONFIG=/tmp/registry docker "$@"; }
while read -r _ base; do
    [[ $base != "$CI_REGISTRY/"* ]] || docker image inspect "$base" >/dev/null 2>&1 || with_login pull --quiet "$base"
done <<< "$BASES"

say "docker build --file $DOCKERFILE $CONTEXT"
# All builds share the engine, and without a namespace the folders of `RUN --mount=type=cache`.
docker build --progress plain --file /tmp/Dockerfile "${arguments[@]}" "${tags[@]}" \
    --build-arg "BUILDKIT_CACHE_MOUNT_NS=$CI_REGISTRY/$CI_PROJECT_ID" \
    --label "org.opencontainers.image.revision=$CI_COMMIT_SHA" --label "cabestan.project=$CI_PROJECT_PATH" \
    -- "$CONTEXT" 2>&1 | cat
# A registry that is replaced, by `cabestan up` or after a crash, is back within seconds.
push() {
    local pause
    for pause in 0 1 2 4; do
        sleep "$pause"
        say "docker push $1"
        if with_login push "$1" 2>&1 | cat; then return; fi
    done
    return 1
}
for tag in $TAGS; do push "$IMAGE:$tag"; done
say "Done"
"""
