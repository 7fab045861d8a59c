#include "tests/emulator/block.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "tests/emulator/fault.h"
#include "tests/emulator/text.h"

namespace emulator {

namespace {

// Unwinds a waiting thread of a failed block, so that its fiber can be reused.
struct Abandoned {};

bool same(const char* a, const char* b) {
    return a == b || std::strcmp(a, b) == 0;
}
bool same(const Place& a, const Place& b) {
    return a.line() == b.line() && a.column() == b.column() && same(a.file_name(), b.file_name());
}

std::string threads_text(const std::vector<Thread*>& threads) {
    const auto by_rank = [](const Thread* a, const Thread* b) { return a < b; };
    const auto [first, last] = std::minmax_element(threads.begin(), threads.end(), by_rank);
    if (threads.size() == 1) return "thread " + text((*first)->index);
    return std::to_string(threads.size()) + " threads, " + text((*first)->index) + " to " + text((*last)->index) + ",";
}

}  // namespace

void Block::start(uint32_t number, const uint3& index, dim3 size, const std::function<void()>& body, Random& random) {
    number_ = number;
    index_ = index;
    body_ = &body;
    random_ = &random;
    order_ = {};
    threads_.resize(size_t{size.x} * size.y * size.z);
    warp_sync_points_.resize((threads_.size() + kWarp - 1) / kWarp);
    ready_.clear();
    unsigned rank = 0;
    for (Thread& thread : threads_) {
        thread.index = {rank % size.x, rank / size.x % size.y, rank / size.x / size.y};
        thread.fiber = nullptr;
        thread.done = false;
        thread.copies.clear();
        thread.order = {};
        thread.last_sync = 0;
        ready_.push_back(&thread);
        ++rank;
    }
    unfinished_ = rank;
    failure_ = nullptr;
}

bool Block::advance() {
    current_ = this;
    coordinates.block = index_;
    switch_to(draw());
    if (failure_ != nullptr) {
        forget_sync_points();
        std::rethrow_exception(failure_);
    }
    return unfinished_ == 0;
}

void Block::pause() {
    thread_->fiber = fiber_;
    ready_.push_back(thread_);
    switch_to(nullptr);
    if (failure_ != nullptr) throw Abandoned();
}

void Block::stop() {
    current_ = this;
    abandon(std::make_exception_ptr(Abandoned()));
    if (!ready_.empty()) switch_to(draw());
    forget_sync_points();
}

void Block::forget_sync_points() {
    block_sync_points_.clear();
    for (SyncPoints& points : warp_sync_points_) points.clear();
}

SyncPoint& Block::join(SyncPoints& points, uint32_t mask, unsigned expected, unsigned slot, const char* name,
                       const Place& place, void* operand) {
    auto found = std::find_if(points.begin(), points.end(), [&](const auto& m) {
        return m->mask == mask && same(m->name, name) && same(m->place, place);
    });
    if (found == points.end()) {
        if (spare_.empty()) spare_.push_back(std::make_unique<SyncPoint>());
        points.push_back(std::move(spare_.back()));
        spare_.pop_back();
        found = points.end() - 1;
        SyncPoint& fresh = **found;
        fresh.name = name;
        fresh.place = place;
        fresh.mask = mask;
        fresh.expected = expected;
        fresh.arrived = 0;
        fresh.operands.assign(mask == 0 ? expected : kWarp, nullptr);
        fresh.threads.clear();
    }
    SyncPoint& point = **found;
    point.operands[slot] = operand;
    point.threads.push_back(thread_);
    ++point.arrived;
    return point;
}

void Block::release(SyncPoints& points, SyncPoint& point) {
    ++syncs_;
    for (Thread* thread : point.threads) {
        thread->last_sync = syncs_;
        if (&points == &block_sync_points_) order_.join(thread->order);
    }
    ready_.insert(ready_.end(), point.threads.begin(), point.threads.end());
    const auto found = std::find_if(points.begin(), points.end(), [&](const auto& m) { return m.get() == &point; });
    spare_.push_back(std::move(*found));
    points.erase(found);
    wait();
}

void Block::check_mask(const char* name, const Place& place, uint32_t mask) const {
    const size_t lanes = std::min<size_t>(kWarp, threads_.size() - rank() / kWarp * kWarp);
    const uint32_t present = lanes == kWarp ? ~0u : (1u << lanes) - 1;
    if ((mask & ~present) != 0) {
        throw Fault(std::string(name) + " at " + text(place) + ": mask " + hex(mask) +
                    " contains lanes that the block does not have; it has " + hex(present));
    }
    if ((mask >> lane() & 1u) == 0) {
        throw Fault(std::string(name) + " at " + text(place) + ": the mask of lane " + std::to_string(lane()) +
                    " does not contain the lane itself: " + hex(mask));
    }
}

bool Block::warp_is_converged() const {
    const auto first = threads_.begin() + rank() / kWarp * kWarp;
    return std::all_of(first, first + kWarp, [&](const Thread& t) { return t.last_sync == first->last_sync; });
}

// The body of every fiber.
void Block::work() {
    Block& block = current();
    for (;;) {
        block.run_thread();
        block.leave_fiber();
    }
}

void Block::run_thread() {
    try {
        (*body_)();
        if (!thread_->copies.empty()) {
            throw Fault("a thread returned without waiting for " + std::to_string(thread_->copies.size()) +
                        " asynchronous copies");
        }
    } catch (const Abandoned&) {
    } catch (...) {
        abandon(std::current_exception());
    }
    thread_->done = true;
    --unfinished_;
}

// Called after a thread has returned. The next thread reuses the fiber if it has none; otherwise the fiber becomes
// idle.
void Block::leave_fiber() {
    if (ready_.empty() && unfinished_ > 0 && failure_ == nullptr) {
        abandon(std::make_exception_ptr(Fault(deadlock_message())));
    }
    Thread* next = draw();
    if (next != nullptr && next->fiber == nullptr) {
        make_current(next);
        return;
    }
    idle_.push_back(fiber_);
    switch_to(next);
}

Thread* Block::draw() {
    if (ready_.empty()) return nullptr;
    std::swap(ready_[random_->below(static_cast<uint32_t>(ready_.size()))], ready_.back());
    Thread* thread = ready_.back();
    ready_.pop_back();
    return thread;
}

void Block::make_current(Thread* thread) {
    thread_ = thread;
    if (thread != nullptr) coordinates.thread = thread->index;
}

// Runs other threads until this one is drawn.
void Block::wait() {
    thread_->fiber = fiber_;
    if (ready_.empty()) {
        abandon(std::make_exception_ptr(Fault(deadlock_message())));
        throw Abandoned();
    }
    Thread* next = draw();
    if (next != thread_) switch_to(next);
    if (failure_ != nullptr) throw Abandoned();
}

// Null: the block is paused, or all threads have returned; switches back to advance().
void Block::switch_to(Thread* next) {
    Fiber* from = fiber_;
    make_current(next);
    if (next == nullptr) {
        fiber_ = &main_;
    } else if (next->fiber != nullptr) {
        fiber_ = next->fiber;
    } else {
        if (idle_.empty()) {
            fibers_.push_back(std::make_unique<Fiber>(work));
            idle_.push_back(fibers_.back().get());
        }
        fiber_ = idle_.back();
        idle_.pop_back();
    }
    fiber_->resume(*from);
}

// Resumes the waiting threads so that they unwind; threads that have not started never run.
void Block::abandon(std::exception_ptr failure) {
    if (failure_ == nullptr) failure_ = std::move(failure);
    ready_.clear();
    for (Thread& thread : threads_) {
        if (&thread != thread_ && thread.fiber != nullptr && !thread.done) ready_.push_back(&thread);
    }
}

std::string Block::deadlock_message() const {
    std::string message = "deadlock: ";
    const auto add = [&](const SyncPoints& points) {
        for (const auto& point : points) {
            message += threads_text(point->threads) + " in " + point->name;
            if (point->mask != 0) message += " with mask " + hex(point->mask);
            message += " at " + text(point->place) + "; ";
        }
    };
    add(block_sync_points_);
    for (const SyncPoints& points : warp_sync_points_) add(points);
    const auto returned = std::count_if(threads_.begin(), threads_.end(), [](const Thread& t) { return t.done; });
    return message + std::to_string(returned) + " of " + std::to_string(threads_.size()) + " threads have returned";
}

}  // namespace emulator
