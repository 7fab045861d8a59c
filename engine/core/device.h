// Where tensors live and operations run.
#pragma once

namespace residual {

enum class DeviceType { kCpu, kCuda };

}  // namespace residual
