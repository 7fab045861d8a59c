#include "tests/fakes/device.h"

#include <string>
#include <utility>

#include "tests/emulator/memory.h"
#include "tests/emulator/stream.h"
#include "tests/fakes/refusal.h"

namespace fakes {

void require_on_device(const DeviceArray& array) {
    if (emulator::device_holds(array.pointer, array.bytes)) return;
    throw Misuse(std::string(array.name) + ", " + std::to_string(array.bytes) +
                 " bytes, is not inside one live allocation of the device");
}

void require_disjoint(const DeviceArray& output, const std::vector<DeviceArray>& others) {
    const auto* const first = static_cast<const char*>(output.pointer);
    for (const DeviceArray& other : others) {
        const auto* const other_first = static_cast<const char*>(other.pointer);
        if (first < other_first + other.bytes && other_first < first + output.bytes) {
            throw Misuse(std::string(output.name) + " shares memory with " + other.name);
        }
    }
}

void require_live(cudaStream_t stream, const char* of) {
    if (!emulator::is_stream(stream)) throw Misuse(std::string(of) + " has a destroyed stream");
}

bool is_being_captured(cudaStream_t stream) {
    return emulator::is_capturing(stream);
}

void queue(cudaStream_t stream, const char* name, std::function<void()> work) {
    const cudaError_t error = emulator::submit(stream, {emulator::Kind::kLibrary, name, std::move(work)});
    if (error != cudaSuccess) throw Misuse(std::string(name) + ": the stream accepts no work");
}

}  // namespace fakes
