#include "tools/report/published.h"

#include <algorithm>
#include <array>
#include <variant>

namespace residual::tools {
namespace {

using models::Block;
using models::Shortcut;

struct Entry {
    int64_t depth;
    Block block;
    Shortcut shortcut;
    double percent;
};

// The pre-activation and plain networks: the last values of the reference implementation's published curves. The
// post-activation networks: He et al. 2015, table 6 (for 110 layers the best of five runs).
constexpr std::array<Entry, 8> kEntries = {{{20, Block::preact, Shortcut::avgpool_zeropad, 8.9},
                                            {56, Block::preact, Shortcut::avgpool_zeropad, 7.1},
                                            {110, Block::preact, Shortcut::avgpool_zeropad, 6.35},
                                            {20, Block::preact, Shortcut::none, 9.8},
                                            {56, Block::preact, Shortcut::none, 13.75},
                                            {20, Block::postact, Shortcut::subsample_zeropad, 8.75},
                                            {56, Block::postact, Shortcut::subsample_zeropad, 6.97},
                                            {110, Block::postact, Shortcut::subsample_zeropad, 6.43}}};

}  // namespace

std::optional<PublishedError> published_error(const Experiment& experiment) {
    const auto* network = std::get_if<models::ResNetConfig>(&experiment.model.config);
    if (network == nullptr || experiment.data.format != "cifar10") return std::nullopt;
    const auto found = std::ranges::find_if(kEntries, [&](const Entry& entry) {
        // The padding of the implementations that the errors are from.
        const auto padding = entry.block == Block::postact ? models::Padding::symmetric : models::Padding::same;
        return entry.depth == network->depth && entry.block == network->block && entry.shortcut == network->shortcut &&
               network->padding == padding && network->batch_norm == nn::BatchNormConfig{};
    });
    if (found == kEntries.end()) return std::nullopt;
    return PublishedError{found->percent, found->block == Block::postact
                                              ? "He et al. 2015, Deep Residual Learning for Image Recognition, table 6 "
                                                "(110 layers: the best of five runs)"
                                              : "Published curves of the reference implementation"};
}

}  // namespace residual::tools
