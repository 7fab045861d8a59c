// Where tensors live and operations run.
#pragma once

namespace engine {

enum class DeviceType { kCpu, kCuda };

}  // namespace engine
