"""Taking a project's images out of the registry, with those layers that nothing else has.

The registry itself deletes references alone, and frees their layers only while nobody pushes. This does so meanwhile,
in the registry's own container: what the project's repositories refer to is looked for in all others, and what none of
them has goes. A layer that somebody pushes at this very moment is brought back.
"""

#: for `sh`; $1 is the project, `group/name`. May be done again after a kill at any point: what is going is set aside
SWEEP = r"""
set -eu
cd "${REGISTRY_FILES:-/var/lib/registry}/docker/registry/v2" 2>/dev/null || exit 0
going="going/$1"
if [ -d "repositories/$1" ]; then
    mkdir -p "$going"
    mv "repositories/$1" "$going/repository-$$"
fi
[ -d "$going" ] || exit 0
referred() {
    find "$@" -type d \( -path '*/_layers/sha256/*' -o -path '*/_manifests/revisions/sha256/*' \) -printf '%f\n' |
        sort -u
}
in_use() { referred repositories > going/in-use; }
referred "$going" > going/candidates
in_use
mkdir -p "$going/blobs"
comm -23 going/candidates going/in-use | while read -r digest; do
    place="blobs/sha256/$(printf %.2s "$digest")/$digest"
    [ ! -d "$place" ] || mv "$place" "$going/blobs/"
done
in_use
for blob in "$going"/blobs/*; do
    digest=${blob##*/}
    place="blobs/sha256/$(printf %.2s "$digest")/$digest"
    if [ -d "$blob" ] && [ ! -d "$place" ] && grep -qx "$digest" going/in-use; then mv "$blob" "$place"; fi
done
rm -rf going
group="repositories/${1%%/*}"
rmdir "$group" 2>/dev/null || true
find blobs -mindepth 2 -maxdepth 2 -type d -empty -delete 2>/dev/null || true
"""
