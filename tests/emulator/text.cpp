#include "tests/emulator/text.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <unordered_map>
#include <vector>

namespace emulator {

namespace {

// Kernels are in anonymous namespaces, which dladdr does not find, so this reads the symbol table of the executable.
std::unordered_map<uintptr_t, std::string> read_functions() {
    std::unordered_map<uintptr_t, std::string> functions;
    uintptr_t base = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* target) {
            *static_cast<uintptr_t*>(target) = info->dlpi_addr;  // the program itself comes first
            return 1;
        },
        &base);
    std::ifstream file("/proc/self/exe", std::ios::binary);
    std::vector<char> bytes(std::filesystem::file_size("/proc/self/exe"));
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto read = [&]<class T>(T, size_t offset) {
        T value{};
        if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
        return value;
    };
    const auto header = read(Elf64_Ehdr{}, 0);
    for (int i = 0; i < header.e_shnum; ++i) {
        const auto section = read(Elf64_Shdr{}, header.e_shoff + i * sizeof(Elf64_Shdr));
        if (section.sh_type != SHT_SYMTAB) continue;
        const auto names = read(Elf64_Shdr{}, header.e_shoff + section.sh_link * sizeof(Elf64_Shdr));
        for (size_t offset = 0; offset < section.sh_size; offset += sizeof(Elf64_Sym)) {
            const auto symbol = read(Elf64_Sym{}, section.sh_offset + offset);
            if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_value == 0) continue;
            functions.emplace(base + symbol.st_value, bytes.data() + names.sh_offset + symbol.st_name);
        }
    }
    return functions;
}

}  // namespace

std::string hex(uint64_t value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "0x%llx", static_cast<unsigned long long>(value));
    return digits;
}

const char* linker_name(const void* function) {
    static const auto functions = read_functions();
    const auto found = functions.find(reinterpret_cast<uintptr_t>(function));
    return found == functions.end() ? nullptr : found->second.c_str();
}

namespace {

std::string readable_name(const void* function) {
    const char* name = linker_name(function);
    if (name == nullptr) return "a kernel";
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> readable(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                               &std::free);
    return status == 0 ? readable.get() : name;
}

}  // namespace

const std::string& function_name(const void* function) {
    static std::unordered_map<const void*, std::string> names;
    const auto [found, fresh] = names.try_emplace(function);
    if (fresh) found->second = readable_name(function);
    return found->second;
}

}  // namespace emulator
