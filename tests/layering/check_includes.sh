#!/usr/bin/env bash
# Reads every #include under tools, models, engine and kernels of ROOT and fails on one that points the wrong way:
#     bash tests/layering/check_includes.sh ROOT
#   tools -> tools/run -> models -> engine -> kernels
#   core <- config <- backend <- autograd <- ops <- nn <- {optim, data, io, metrics, dist} <- train, inside engine
#   vendor headers only in the folders of their device; of cuDNN's, only cudnn_graph.h, which has no legacy function
set -euo pipefail
root=${1:?usage: check_includes.sh ROOT}
cd "$root"

layers=(tools models engine kernels)
for layer in "${layers[@]}"; do
    [ -d "$layer" ] || { printf 'layering: %s has no folder %s/\n' "$root" "$layer" >&2 && exit 1; }
done

find "${layers[@]}" -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) | LC_ALL=C sort |
    awk '
function wrong(reason) {
    printf "%s:%d: #include %s: %s\n", file, line, target, reason
    errors++
}

# The rank of a path: 0 for kernels, 10 to 19 inside engine, 20 for models, 25 for tools/run, 30 for the rest of tools;
# -1 for others.
function rank(path,    parts, count) {
    if (path ~ /^tools\/run\//) return 25
    count = split(path, parts, "/")
    if (parts[1] == "engine") return (count > 2 && parts[2] in inside) ? 10 + inside[parts[2]] : -1
    return (count > 1 && parts[1] in outside) ? outside[parts[1]] : -1
}

function folder(path,    parts) {
    split(path, parts, "/")
    if (path ~ /^tools\/run\//) return "tools/run"
    return parts[1] == "engine" ? parts[1] "/" parts[2] : parts[1]
}

# The folders that may include a vendor header; "" for other headers.
function vendor(name) {
    if (name ~ /^cudnn|^cublas/) return "engine/backend/cuda/"
    if (name ~ /^(oneapi\/)?dnnl/) return "engine/backend/cpu/"
    if (name ~ /^onnx\/|^google\/protobuf/) return "tools/export/"
    if (name ~ /^nccl|^mpi/) return "engine/dist/"
    if (name ~ /^cuda|^curand|^cub\/|^thrust\/|^cooperative_groups|^mma\.h|^nvtx|^device_/) \
        return "engine/backend/cuda/ kernels/cuda/"
    return ""
}

function allowed(places,    list, count, i) {
    count = split(places, list, " ")
    for (i = 1; i <= count; i++) if (index(file, list[i]) == 1) return 1
    return 0
}

function judge(    places, to) {
    places = vendor(target)
    if (places != "") {
        if (!allowed(places)) wrong("a vendor header, allowed only in " places)
        else if (target ~ /cudnn/ && target !~ /cudnn_graph\.h/) \
            wrong("declares the legacy API of cuDNN; include cudnn_graph.h")
        return
    }
    to = rank(target)
    if (to < 0) {
        if (target ~ /^engine\//) wrong("no known layer of engine")
        else if (quoted) wrong("no path from the root of the repository into tools, models, engine or kernels")
        return
    }
    if (to > from) wrong(folder(file) " may not include " folder(target))
    else if (to == from && folder(file) != folder(target)) wrong(folder(file) " and " folder(target) " are siblings")
}

BEGIN {
    outside["kernels"] = 0; outside["models"] = 20; outside["tools"] = 30
    split("core config backend autograd ops nn", order, " ")
    for (i = 1; i <= 6; i++) inside[order[i]] = i
    inside["optim"] = inside["data"] = inside["io"] = inside["metrics"] = inside["dist"] = 7
    inside["train"] = 8
}

{
    file = $0
    line = 0
    files++
    from = rank(file)
    if (from < 0) {
        printf "%s: in no known layer of engine\n", file
        errors++
    }
    while ((getline text < file) > 0) {
        line++
        if (text !~ /^[ \t]*#[ \t]*include/) continue
        includes++
        sub(/^[ \t]*#[ \t]*include[ \t]*/, "", text)
        quoted = text ~ /^"/
        if (text !~ /^"[^"]+"|^<[^>]+>/) {
            target = text
            wrong("names no file; use a path, not a macro")
            continue
        }
        split(substr(text, 2), rest, /[">]/)
        target = rest[1]
        judge()
    }
    close(file)
}

END {
    printf "layering: %d includes in %d files read, %d wrong\n", includes, files, errors
    if (files == 0 || errors > 0) exit 1
}'
