#include "tests/emulator/schedule.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/block.h"
#include "tests/emulator/exchange.h"
#include "tests/emulator/fault.h"
#include "tests/emulator/private_stores.h"
#include "tests/emulator/random.h"
#include "tests/emulator/text.h"

namespace emulator {

namespace {

// The only alignment of shared memory that kernels may rely on.
constexpr size_t kSharedAlignment = 16;

// Blocks that may have started without having finished, at one time.
constexpr size_t kResidentBlocks = 4;

const GuardedBlock* shared = nullptr;

std::string size_text(const dim3& size) {
    return std::to_string(size.x) + "x" + std::to_string(size.y) + "x" + std::to_string(size.z);
}

// A place for a block on the device; its fibers and shared memory serve one block after another.
struct Residence {
    Block& block;
    GuardedBlock shared;
    PrivateStores::Stores stores{};  // of a paused block
};

// Never destroyed: the fibers of a block are suspended inside their bodies.
Block& resident_block(size_t place) {
    static auto& blocks = *new std::vector<std::unique_ptr<Block>>;
    while (blocks.size() <= place) blocks.push_back(std::make_unique<Block>());
    return *blocks[place];
}

class Grid {
  public:
    Grid(const Launch& launch, uint64_t seed) : launch_(launch), seed_(seed), random_(seed) {
        waiting_.resize(uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z);
        std::iota(waiting_.begin(), waiting_.end(), 0u);
        coordinates.block_size = launch.block;
        coordinates.grid_size = launch.grid;
    }
    ~Grid() {
        for (Residence* residence : paused_) residence->block.stop();
        Exchange::instance().clear();
        shared = nullptr;
    }
    Grid(const Grid&) = delete;
    Grid& operator=(const Grid&) = delete;

    // Blocks see the ordinary stores of other blocks only after the grid. `before`: the memory before the launch.
    void hide_stores(const Memory::Snapshot& before) { private_stores_.emplace(before); }

    void run() {
        while (Residence* residence = next()) {
            shared = &residence->shared;
            bool finished = false;
            try {
                finished = advance(*residence);
            } catch (const Fault& fault) {
                throw Fault(describe(launch_) + ", block " + text(residence->block.index()) + ", seed " +
                            std::to_string(seed_) + ": " + fault.what());
            }
            (finished ? free_ : paused_).push_back(residence);
        }
        if (private_stores_) private_stores_->show_kept();
        passed_data_ = Exchange::instance().used();
        try {
            Exchange::instance().finish();
        } catch (const Fault& fault) {
            throw Fault(describe(launch_) + ", seed " + std::to_string(seed_) + ": " + fault.what());
        }
    }

    // Whether the blocks passed data to each other.
    bool passed_data() const { return passed_data_; }

  private:
    // True if the block has finished.
    bool advance(Residence& residence) {
        if (private_stores_) private_stores_->show(residence.stores);
        const bool finished = residence.block.advance();
        if (!residence.shared.intact()) throw Fault("write out of bounds of shared memory");
        if (private_stores_) {
            private_stores_->hide(residence.stores);
            if (finished) private_stores_->keep(residence.stores);
        }
        return finished;
    }

    // One of the paused blocks or, if there is room, a new one, at random; null at the end of the grid.
    Residence* next() {
        const bool room = !waiting_.empty() && paused_.size() < kResidentBlocks;
        const auto choices = static_cast<uint32_t>(paused_.size()) + (room ? 1 : 0);
        if (choices == 0) return nullptr;
        const uint32_t choice = random_.below(choices);
        if (choice < paused_.size()) return take(paused_, choice);
        return start(take(waiting_, random_.below(static_cast<uint32_t>(waiting_.size()))));
    }

    Residence* start(uint32_t number) {
        if (free_.empty()) {
            residences_.push_back(std::make_unique<Residence>(
                Residence{resident_block(residences_.size()), GuardedBlock(launch_.shared_bytes, kSharedAlignment)}));
            free_.push_back(residences_.back().get());
        }
        Residence* residence = free_.back();
        free_.pop_back();
        residence->shared.poison();
        residence->stores.clear();
        const dim3& grid = launch_.grid;
        residence->block.start(number, {number % grid.x, number / grid.x % grid.y, number / grid.x / grid.y},
                               launch_.block, launch_.thread, random_);
        return residence;
    }

    template <class T>
    static T take(std::vector<T>& from, size_t index) {
        std::swap(from[index], from.back());
        const T taken = from.back();
        from.pop_back();
        return taken;
    }

    const Launch& launch_;
    uint64_t seed_;
    Random random_;
    std::vector<uint32_t> waiting_;
    std::vector<std::unique_ptr<Residence>> residences_;
    std::vector<Residence*> free_, paused_;
    std::optional<PrivateStores> private_stores_;
    bool passed_data_ = false;
};

}  // namespace

std::string describe(const Launch& launch) {
    return function_name(launch.kernel) + " <" + size_text(launch.grid) + " blocks of " + size_text(launch.block) +
           " threads>";
}

bool run_schedule(const Launch& launch, uint64_t seed, const Memory::Snapshot* before) {
    Grid grid(launch, seed);
    if (before != nullptr) grid.hide_stores(*before);
    grid.run();
    return grid.passed_data();
}

unsigned char* shared_memory() {
    if (shared == nullptr) throw Fault("shared memory is used outside a kernel");
    return shared->data();
}

bool in_shared_memory(const void* pointer, size_t bytes) {
    if (shared == nullptr) return false;
    const auto begin = reinterpret_cast<uintptr_t>(shared->data()), address = reinterpret_cast<uintptr_t>(pointer);
    return address >= begin && address - begin <= shared->bytes() && bytes <= shared->bytes() - (address - begin);
}

}  // namespace emulator
