#include "engine/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>
#include <numeric>
#include <set>
#include <system_error>

#include "engine/core/error.h"
#include "engine/core/host_memory.h"
#include "engine/io/atomic_file.h"
#include "engine/io/foreign_format.h"
#include "engine/io/safetensors_header.h"

namespace residual {

static_assert(std::endian::native == std::endian::little, "numbers are read without conversion from little-endian");

namespace {

void read_exactly(std::ifstream& in, const std::string& file, void* to, uint64_t bytes) {
    errno = 0;
    in.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    if (in) return;
    const std::string reason = errno != 0 ? std::system_category().message(errno) : "unexpected end of file";
    throw InputError(fmt::format("{}: cannot read {} bytes: {}", file, bytes, reason));
}

void refuse_foreign(std::ifstream& in, const std::string& file, uint64_t file_bytes) {
    std::string head(std::min<uint64_t>(file_bytes, kForeignHead), '\0');
    read_exactly(in, file, head.data(), head.size());
    in.seekg(0);
    if (const ForeignFormat* format = foreign_format(head)) {
        throw InputError(fmt::format("{}: this is {}, not a safetensors file; {}", file, format->name, format->remedy));
    }
}

// Checks the free memory first: Linux overcommits memory and may OOM-kill the process later.
std::unique_ptr<std::byte[]> uninitialized(const std::string& file, uint64_t bytes) {
    const MemoryLimit memory = host_memory();
    std::unique_ptr<std::byte[]> data(bytes <= memory.free ? new (std::nothrow) std::byte[bytes] : nullptr);
    if (!data) {
        throw Error(fmt::format("{}: out of memory: its tensors take {:.1f} MiB; {}", file,
                                static_cast<double>(bytes) / 1048576.0, memory.to_string()));
    }
    return data;
}

// A file whose header has been read: `in` is at the first of `data_bytes` bytes of tensors.
struct OpenedFile {
    std::ifstream in;
    SafetensorsHeader header;
    uint64_t data_bytes;
};

OpenedFile open_file(const std::filesystem::path& path) {
    const std::string file = path.string();
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) throw InputError(fmt::format("{}: no such file", file));
    if (!std::filesystem::is_regular_file(status)) throw InputError(fmt::format("{}: not a regular file", file));
    const uint64_t file_bytes = std::filesystem::file_size(path, error);
    errno = error.value();
    std::ifstream in(path, std::ios::binary);
    if (error || !in) {
        throw InputError(
            fmt::format("{}: cannot be opened for reading: {}", file, std::system_category().message(errno)));
    }

    refuse_foreign(in, file, file_bytes);
    uint64_t header_bytes = 0;
    if (file_bytes < sizeof header_bytes) {
        throw InputError(
            fmt::format("{}: not a safetensors file: {} bytes, too short for a header length", file, file_bytes));
    }
    read_exactly(in, file, &header_bytes, sizeof header_bytes);
    const uint64_t rest = file_bytes - sizeof header_bytes;
    if (header_bytes == 0 || header_bytes > kMaxSafetensorsHeader) {
        throw InputError(fmt::format("{}: not a safetensors file: a header of {} bytes, but 1 to {} are allowed", file,
                                     header_bytes, kMaxSafetensorsHeader));
    }
    if (header_bytes > rest) {
        throw InputError(fmt::format(
            "{}: cut short or not a safetensors file: a header of {} bytes, but only {} bytes follow its length", file,
            header_bytes, rest));
    }
    std::string json(header_bytes, '\0');
    read_exactly(in, file, json.data(), json.size());
    SafetensorsHeader header = parse_safetensors_header(file, json, rest - header_bytes);
    return {std::move(in), std::move(header), rest - header_bytes};
}

}  // namespace

std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path) {
    return open_file(path).header.metadata;
}

SafetensorsFile SafetensorsFile::read(const std::filesystem::path& path) {
    const std::string file = path.string();
    auto [in, header, data_bytes] = open_file(path);
    SafetensorsFile result;
    result.metadata_ = std::move(header.metadata);
    result.data_ = uninitialized(file, data_bytes);
    read_exactly(in, file, result.data_.get(), data_bytes);
    const std::span<const std::byte> data(result.data_.get(), data_bytes);
    for (SafetensorsEntry& entry : header.entries) {
        result.index_.emplace(entry.name, result.tensors_.size());
        result.tensors_.push_back({std::move(entry.name), entry.type, std::move(entry.shape),
                                   data.subspan(entry.begin, entry.end - entry.begin)});
    }
    return result;
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &tensors_[found->second];
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
    std::vector<const TensorView*> order;
    std::set<std::string_view> names = {"__metadata__"};
    for (const TensorView& tensor : tensors) {
        RESIDUAL_ASSERT(names.insert(tensor.name).second);
        RESIDUAL_ASSERT(std::all_of(tensor.shape.begin(), tensor.shape.end(), [](int64_t size) { return size >= 0; }));
        const int64_t elements =
            std::accumulate(tensor.shape.begin(), tensor.shape.end(), int64_t{1}, std::multiplies<>());
        RESIDUAL_ASSERT(tensor.data.size() == static_cast<size_t>(elements) * size_of(tensor.type));
        order.push_back(&tensor);
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const TensorView* a, const TensorView* b) { return size_of(a->type) > size_of(b->type); });

    std::vector<SafetensorsEntry> entries;
    uint64_t offset = 0;
    for (const TensorView* tensor : order) {
        const uint64_t end = offset + tensor->data.size();
        entries.push_back({tensor->name, tensor->type, tensor->shape, offset, end});
        offset = end;
    }
    const std::string header = make_safetensors_header(entries, metadata);
    const uint64_t header_bytes = header.size();
    if (header_bytes > kMaxSafetensorsHeader) {
        throw Error(fmt::format("cannot write {}: its header would take {} bytes, but the format allows only {}",
                                path.string(), header_bytes, kMaxSafetensorsHeader));
    }

    AtomicFile file(path);
    file.write(std::as_bytes(std::span(&header_bytes, 1)));
    file.write(std::as_bytes(std::span(header)));
    for (const TensorView* tensor : order) file.write(tensor->data);
    file.commit();
}

}  // namespace residual
