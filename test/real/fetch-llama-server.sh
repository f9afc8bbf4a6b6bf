#!/usr/bin/env bash
# Brings a real llama-server to this machine, for the tests, without installing it: Debian's development suite has the
# packages; apt fetches them with a state of its own, they are unpacked into a cache and run with their own C library.
#
#   fetch-llama-server.sh [--refresh] [CACHE]
#
# CACHE: $LLAMERO_TEST_CACHE/real-llama, else .cache/real-llama of this checkout. Nothing is written outside it.
# The last line on stdout is the path of the program; everything else goes to stderr. No root needed. The archive is
# the one that this machine's apt already uses.
#
# Exit status: 0 there it is, 64 wrong usage, 69 the packages cannot be had, 70 what came does not run, 72 no machine
# for this (not Debian, no apt), 75 another run takes too long.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
suite=sid

note() { printf '%s\n' "fetch-llama-server: $*" >&2; }
die() { note "$2"; exit "$1"; }

parse_arguments() {
  refresh=no
  cache=
  local argument
  for argument in "$@"; do
    case $argument in
      --refresh) refresh=yes ;;
      -*) die 64 "unknown option $argument (usage: fetch-llama-server.sh [--refresh] [CACHE])" ;;
      *) [ -z "$cache" ] || die 64 'more than one cache folder'; cache=$argument ;;
    esac
  done
  if [ -z "$cache" ]; then cache=${LLAMERO_TEST_CACHE:-$here/../../.cache}/real-llama; fi
  mkdir -p "$cache" || die 64 "cannot make $cache"
  cache=$(cd "$cache" && pwd -P)
  # LD_LIBRARY_PATH is split at colons, and the program's path is written into a script.
  case $cache in *[[:space:]:\'\"\$]*) die 64 "no blanks, colons, quotes or dollar signs in the cache's path: $cache" ;; esac
  program=$cache/llama-server
}

# The wrapper names its libraries by absolute path, so a cache that was moved does not count.
is_ready() { [ -x "$program" ] && grep -qF "$cache/" "$program" && "$program" --version >/dev/null 2>&1; }

one_at_a_time() {
  command -v flock >/dev/null || return 0
  exec 9>"$cache/lock"
  flock -w 600 9 || die 75 'another run has held the lock for ten minutes'
}

need_debian() {
  local tool
  for tool in apt-get apt-cache apt-config dpkg dpkg-deb tar awk; do
    command -v "$tool" >/dev/null || die 72 "$tool is missing; this needs Debian"
  done
  architecture=$(dpkg --print-architecture)
}

# One line per archive entry that has the component main: URI SUITE KEYRING ("-" = none named).
# Both forms of apt's sources are read: one entry per line, and paragraphs of fields.
archive_entries() {
  local list= parts=
  eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
  local file
  for file in "$list" "$parts"/*.list; do
    [ -r "$file" ] || continue
    awk '
      $1 != "deb" { next }
      {
        keyring = "-"; rest = $0
        sub(/^deb[ \t]+/, "", rest)
        if (match(rest, /^\[[^]]*\][ \t]*/)) {
          options = substr(rest, 2, RLENGTH - 2); rest = substr(rest, RSTART + RLENGTH)
          if (match(options, /signed-by=[^] \t]+/)) keyring = substr(options, RSTART + 10, RLENGTH - 10)
        }
        count = split(rest, word, /[ \t]+/)
        for (i = 3; i <= count; i++) if (word[i] == "main") { print word[1], word[2], keyring; break }
      }' "$file"
  done
  for file in "$parts"/*.sources; do
    [ -r "$file" ] || continue
    awk '
      function flush(   u, s, i, j, n, m) {
        if ((" " types " ") ~ / deb / && (" " components " ") ~ / main / && enabled !~ /^[Nn]o$/) {
          n = split(uris, u, " "); m = split(suites, s, " ")
          for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) print u[i], s[j], (keyring == "" ? "-" : keyring)
        }
        types = uris = suites = components = keyring = enabled = ""
      }
      /^[ \t]*$/ { flush(); next }
      /^#/ || /^[ \t]/ { next }
      {
        field = tolower(substr($0, 1, index($0, ":") - 1)); value = substr($0, index($0, ":") + 1)
        gsub(/^[ \t]+|[ \t]+$/, "", value)
        if (field == "types") types = value
        if (field == "uris") uris = value
        if (field == "suites") suites = value
        if (field == "components") components = value
        if (field == "signed-by") keyring = value
        if (field == "enabled") enabled = value
      }
      END { flush() }' "$file"
  done
}

# Sets archive and keyring: the entry of this machine's own release, else any that looks like a whole Debian archive.
choose_archive() {
  local release chosen
  release=$(. /etc/os-release 2>/dev/null && printf %s "${VERSION_CODENAME:-}")
  chosen=$(archive_entries | awk -v release="$release" '
    $2 == release && own == "" { own = $0 }
    $2 !~ /-/ && $1 ~ /\/debian\/?$/ && other == "" { other = $0 }
    END { print (own != "" ? own : other) }')
  [ -n "$chosen" ] || die 72 "this machine's apt sources name no Debian archive"
  read -r archive _ keyring <<<"$chosen"
  if [ ! -r "$keyring" ]; then keyring=/usr/share/keyrings/debian-archive-keyring.gpg; fi
}

# An apt that knows one suite of one archive and no installed package, in $apt.
prepare_apt() {
  apt=$cache/apt
  rm -rf "$apt"
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/none"
  : >"$apt/status"
  local trust=
  if [ -r "$keyring" ]; then trust="[signed-by=$keyring] "; fi
  printf 'deb %s%s %s main\n' "$trust" "$archive" "$suite" >"$apt/sources.list"
  # No retries of its own: what the machine's apt is configured for holds.
  apt_options=(
    # A mirror that is refreshed now and then keeps lists whose date has passed; they are signed all the same.
    -q -oAcquire::Check-Valid-Until=false -oAcquire::Languages=none -oAPT::Update::Error-Mode=any
    -oAPT::Architecture="$architecture" -oAPT::Architectures="$architecture" -oAPT::Default-Release=
    -oAPT::Sandbox::User="$(id -un)"
    -oDir::State="$apt" -oDir::State::lists="$apt/lists" -oDir::State::status="$apt/status"
    -oDir::Cache="$apt" -oDir::Cache::archives="$apt/archives"
    -oDir::Etc::sourcelist="$apt/sources.list" -oDir::Etc::sourceparts="$apt/none"
    -oDir::Etc::preferences=/dev/null -oDir::Etc::preferencesparts="$apt/none"
  )
}

# Runs apt-get quietly; on failure shows its own complaints.
run_apt() {
  if apt-get "${apt_options[@]}" "$@" >"$apt/log" 2>&1; then return 0; fi
  grep -E '^(E|Err)' "$apt/log" >&2 || tail -n 3 "$apt/log" >&2
  return 1
}

# PACKAGE=VERSION of the server, of patchelf and of every library these name, directly or not; "?PACKAGE" = not there.
wanted_packages() {
  apt-cache "${apt_options[@]}" dumpavail | awk '
    /^Package: / { name = $2 }
    /^Version: / { version[name] = $2 }
    /^(Pre-)?Depends: / { needs[name] = needs[name] "," substr($0, index($0, ":") + 1) }
    END {
      open[1] = "llama.cpp-tools"; open[2] = "patchelf"; last = 2
      for (i = 1; i <= last; i++) {
        name = open[i]
        if (name in done) continue
        done[name] = 1
        print (name in version ? name "=" version[name] : "?" name)
        count = split(needs[name], need, ",")
        for (k = 1; k <= count; k++) {
          sub(/^[ \t]+/, "", need[k]); sub(/[ \t(:|].*$/, "", need[k])
          if (need[k] ~ /^(lib|zlib)/ && need[k] !~ /^libc-gconv/) open[++last] = need[k]
        }
      }
    }'
}

download_packages() {
  note "reading the package list of $suite"
  run_apt update || die 69 "apt cannot read $suite of this machine's archive"
  mapfile -t packages < <(wanted_packages)
  local package
  for package in "${packages[@]}"; do
    case $package in \?*) die 69 "$suite has no package ${package#?} for $architecture today" ;; esac
  done
  [ "${#packages[@]}" -gt 2 ] || die 69 "apt gave no package list for $suite"
  note "fetching ${#packages[@]} packages: ${packages[*]%%=*}"
  (cd "$apt/archives" && run_apt download "${packages[@]}") || die 69 'apt cannot download the packages'
}

# Unpacks into a new folder $root; the folder in use stays until the new program has run once.
unpack_packages() {
  root=$cache/root-$(date +%s)-$$
  mkdir "$root"
  trap 'rm -rf "$root" "$cache/apt"' EXIT
  local package
  for package in "$apt"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" |
      tar -x -C "$root" --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' ||
      die 70 "cannot unpack $(basename "$package")"
  done
}

first_existing() { local path; for path in "$@"; do if [ -e "$path" ]; then printf %s "$path"; return; fi; done; }

# The program gets its own loader as ELF interpreter. Started as "loader program" it would run, too, but then
# /proc/self/exe is the loader: the CPU backends beside the program are not found, and router mode starts the wrong file.
make_runnable() {
  local binary=$root/usr/bin/llama-server libraries loader missing backend found=no
  [ -f "$binary" ] || die 70 'the package holds no llama-server'
  libraries=$(dirname "$(first_existing "$root"/usr/lib/*/ggml)")
  loader=$(first_existing "$libraries"/ld-linux*.so.* "$root"/usr/lib64/ld-linux*.so.* "$root"/usr/lib/ld-linux*.so.*)
  [ -n "$loader" ] || die 70 'the C library package holds no program loader'
  missing=$("$loader" --library-path "$libraries:$libraries/llama" --list "$binary" 2>&1 | grep -F 'not found' || true)
  [ -z "$missing" ] || die 70 "libraries are missing: $missing"
  "$loader" --library-path "$libraries" "$root/usr/bin/patchelf" --set-interpreter "$loader" "$binary" ||
    die 70 'patchelf failed'
  for backend in "$libraries"/ggml/backends*/libggml-*.so; do
    [ -f "$backend" ] || continue
    ln -sf "$backend" "$root/usr/bin/"
    found=yes
  done
  [ "$found" = yes ] || die 70 'the packages hold no CPU backend'
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries:$libraries/llama" "$binary" >"$program.new"
  chmod 755 "$program.new"
  "$program.new" --version >"$cache/version.new" 2>&1 || { cat "$cache/version.new" >&2; die 70 'llama-server does not start'; }
}

# From here on the new one is in use.
switch_over() {
  mv -f "$program.new" "$program"
  mv -f "$cache/version.new" "$cache/version"
  trap - EXIT
  local old
  for old in "$cache"/root-*; do [ "$old" = "$root" ] || rm -rf "$old"; done
  rm -rf "$cache/apt"
}

main() {
  parse_arguments "$@"
  one_at_a_time
  if [ "$refresh" = yes ] || ! is_ready; then
    need_debian
    choose_archive
    prepare_apt
    download_packages
    unpack_packages
    make_runnable
    switch_over
    note "$(head -n 1 "$cache/version")"
  fi
  printf '%s\n' "$program"
}

main "$@"
