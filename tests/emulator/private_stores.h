// Hides the ordinary stores of a block from the other blocks of its grid until the grid ends, so that data passed from
// block to block by them does not arrive. Words of the exchange (exchange.h) stay shared.
#pragma once

#include <utility>
#include <vector>

#include "tests/emulator/memory.h"

namespace emulator {

class PrivateStores {
  public:
    // The bytes that a block has stored.
    using Stores = std::vector<std::pair<unsigned char*, unsigned char>>;

    // `before`: the memory before the launch.
    explicit PrivateStores(Memory::Snapshot before) : common_(std::move(before)) {}

    // Called when a block begins or continues to run: puts its stores into memory.
    void show(const Stores& stores) const;
    // Called when it has been paused or has finished: takes them out of memory.
    void hide(Stores& stores);
    // Called when a block has finished: keeps its stores for the end of the grid.
    void keep(const Stores& stores) { kept_.insert(kept_.end(), stores.begin(), stores.end()); }
    // Called at the end of the grid.
    void show_kept() const { show(kept_); }

  private:
    Memory::Snapshot common_;  // what all blocks see
    Stores kept_;
};

}  // namespace emulator
