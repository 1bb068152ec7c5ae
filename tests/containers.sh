#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Builds the image of pipelines/deploy/Containerfile with podman, starts pipelines/deploy/compose.yaml, and tries both: the
# health check, a source of `watch`, and the records of a participant in the room.
#
#     tests/containers.sh
#
# Base images that are not here yet are made of Debian's packages, without a registry: Debian by debootstrap, Rust from
# this machine's toolchain, Mosquitto and Janus from Debian. Compiles the release build and takes 10 GB; the images are
# kept. Needs root and the Debian packages debootstrap, podman, podman-compose, runc and iptables, and those of
# `pipelines/setup.sh --tests`.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deploy=$root/pipelines/deploy
work=$(mktemp -d)
readonly root deploy work

say() { echo "containers: $*"; }
die() { echo "containers: $*" >&2; exit 1; }

compose() { podman-compose --project-name attitude-test --file "$deploy/compose.yaml" --file "$work/override.yaml" "$@"; }

end() {
    trap - EXIT INT TERM
    [[ -z ${participant:-} ]] || kill "$participant" 2>/dev/null || true
    [[ ! -f $work/override.yaml ]] || compose down >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap end EXIT INT TERM

# Certificates and indexes of packages that are set for this machine's clients apply in the builds, too.
build_options=(--volume /etc/ssl/certs:/etc/ssl/certs:ro)
for variable in PIP_CERT PIP_INDEX_URL SSL_CERT_FILE; do
    [[ -z ${!variable:-} ]] || build_options+=(--env "$variable")
done

make_debian() { # image
    debootstrap --variant=minbase --include=ca-certificates bookworm "$work/debian" >/dev/null
    tar -C "$work/debian" -c --one-file-system . | podman import --quiet - "$1"
    rm -rf "$work/debian"
}

make_rust() { # image
    local sysroot
    sysroot=$(rustc --print sysroot)
    echo 'FROM docker.io/library/debian:bookworm-slim
        COPY . /usr/local/' >"$work/Containerfile"
    podman build --quiet --file "$work/Containerfile" --tag "$1" "$sysroot"
}

make_debian_package() { # image, packages, further instruction
    mkdir -p "$work/empty"
    echo "FROM docker.io/library/debian:bookworm-slim
        RUN apt-get update -q && apt-get install -qy --no-install-recommends $2
        $3" >"$work/Containerfile"
    podman build --quiet --file "$work/Containerfile" --tag "$1" "$work/empty"
}

make_images() {
    local name
    while read -r name maker; do
        podman image exists "$name" && continue
        say "making a base image in place of $name"
        # shellcheck disable=SC2086 # The makers are words.
        "make_$maker" "$name"
    done <<'IMAGES'
docker.io/library/debian:bookworm-slim debian
docker.io/library/rust:1.92-slim-bookworm rust
docker.io/library/eclipse-mosquitto:2 mosquitto
docker.io/canyan/janus-gateway:latest janus
IMAGES
}

make_mosquitto() {
    make_debian_package "$1" "mosquitto mosquitto-clients" \
        "RUN printf 'listener 1883\nallow_anonymous true\n' >/mosquitto-no-auth.conf"
}

make_janus() { make_debian_package "$1" janus 'CMD ["janus"]'; }

# Runs a command once per second until it succeeds.
wait_for() { # seconds, description, command...
    local second
    for ((second = 0; second < $1; second++)); do
        if "${@:3}" >/dev/null 2>&1; then return; fi
        sleep 1
    done
    compose logs >&2 || true
    die "$2: not within $1 s"
}

[[ $EUID == 0 ]] || die "podman's networks require root here; run tests/containers.sh as root"
for program in debootstrap podman podman-compose ffmpeg; do
    command -v "$program" >/dev/null || die "$program is not installed; run apt-get install $program"
done
make_images

say "building the image"
podman build "${build_options[@]}" --format docker --file "$deploy/Containerfile" --tag gst-attitude "$root"
podman image inspect --format '{{.Size}}' gst-attitude | awk '{ printf "containers: the image has %d MB\n", $1 / 1e6 }'

say "starting compose.yaml"
mkdir "$work/sources"
picture=$root/tests/fixtures/positive.png
ffmpeg -loglevel error -loop 1 -i "$picture" -t 20 -vf scale=240:240,pad=640:360:200:60,format=yuv420p -r 15 \
    "$work/sources/door.mkv" </dev/null
sed 's|^uri = .*|uri = "/sources/door.mkv"|' "$deploy/watch.toml" >"$work/sources/watch.toml"
chmod -R a+rX "$work"
cat >"$work/override.yaml" <<YAML
services:
  watch:
    volumes:
      - $work/sources/watch.toml:/etc/gst-attitude/watch.toml:ro
      - $work/sources:/sources:ro
YAML
compose up --detach
wait_for 90 "the health of watch" curl --fail --silent http://127.0.0.1:9090/healthz

container() { podman ps --quiet --filter "label=com.docker.compose.service=$1" --filter label=io.podman.compose.project=attitude-test; }
# Prints one record of a topic.
receive() { podman exec "$(container mosquitto)" mosquitto_sub -t "$1" -C 1 -W 60; }

say "a record of watch: $(receive faces/door | cut -c -160)"
[[ $(podman exec "$(container watch)" id -u) == 10001 ]] || die "watch does not run as its user"
janus=$(podman inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$(container janus)")
wait_for 30 "the HTTP transport of Janus" curl --silent "http://$janus:8088/janus/info"
mkfifo "$work/input"
exec 3<>"$work/input" # Never ends: a participant leaves at the end of its input.
/usr/bin/python3 "$root/tests/program/room/participant.py" "http://$janus:8088/janus" 1234 alice --source \
    "filesrc location=$work/sources/door.mkv ! decodebin ! videoconvert ! clocksync" <&3 &
participant=$!
record=$(receive faces/alice)
say "a record of room: ${record:0:160}"
[[ $record == *'"attitude"'* ]] || die "the record of alice has no face"
compose down
say "the image was built, is healthy, and analyzes a source and a participant"
