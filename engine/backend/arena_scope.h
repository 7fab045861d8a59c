// Allocating from another arena for a while.
#pragma once

#include <memory>
#include <utility>

#include "engine/backend/backend.h"

namespace residual {

// Makes the backend allocate from `arena`, which must be on its device, during the scope's lifetime.
class ArenaScope {
  public:
    ArenaScope(Backend& backend, std::shared_ptr<Arena> arena)
        : backend_(backend), before_(backend.exchange_arena(std::move(arena))) {}
    ~ArenaScope() { backend_.exchange_arena(std::move(before_)); }
    ArenaScope(const ArenaScope&) = delete;
    ArenaScope& operator=(const ArenaScope&) = delete;

  private:
    Backend& backend_;
    std::shared_ptr<Arena> before_;
};

}  // namespace residual
