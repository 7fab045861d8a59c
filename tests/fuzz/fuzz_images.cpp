// The bytes of an image file are refused with InputError, or decoded to a whole image, which is then reduced to the
// input of a network.
#include "engine/core/error.h"
#include "tests/fuzz/target.h"
#include "tools/predict/image.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    residual::tools::Image image;
    try {
        image = residual::tools::decode_image({data, size});
    } catch (const residual::InputError&) {
        return 0;
    }
    RESIDUAL_ASSERT(image.width > 0 && image.height > 0);
    RESIDUAL_ASSERT(image.rgb.size() == 3 * static_cast<size_t>(image.width) * static_cast<size_t>(image.height));
    RESIDUAL_ASSERT(planes_of(image, {32, 32, 3}).size() == 3 * 32 * 32);
    return 0;
}
