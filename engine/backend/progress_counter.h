// How much of the queued work a device has completed.
#pragma once

#include <atomic>
#include <cstdint>

namespace residual {

// A count that the device reaches in the order of its work. Neither function waits for the device.
class ProgressCounter {
  public:
    virtual ~ProgressCounter() = default;
    // Once all work queued so far is complete, completed() returns `count`. Must be called on the backend's thread, and
    // not while it records work. While very many counts have not been reached, later ones may be skipped.
    virtual void advance(int64_t count) = 0;
    // The last count that the device has reached; 0 before the first. May be called from any thread.
    virtual int64_t completed() = 0;
};

// Of a device whose operations are complete when their calls return.
class HostProgressCounter final : public ProgressCounter {
  public:
    void advance(int64_t count) override { completed_ = count; }
    int64_t completed() override { return completed_; }

  private:
    std::atomic<int64_t> completed_ = 0;
};

}  // namespace residual
