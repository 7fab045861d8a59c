// All objects of one kind that a library has created, live and destroyed.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/fakes/refusal.h"

namespace fakes {

// A destroyed object keeps its memory until the process exits, so that its address is not reused and every use after
// destruction is detected.
template <class T>
class Registry {
  public:
    explicit Registry(const char* kind) : kind_(kind) {}

    T* create() {
        auto object = std::make_unique<T>();
        T* const pointer = object.get();
        entries_[pointer] = {std::move(object), true};
        ++live_;
        return pointer;
    }

    // An object that is never destroyed and does not count as leaked.
    T* create_kept() {
        T* const pointer = create();
        --live_;
        return pointer;
    }

    // Throws Misuse unless the object is live.
    T& at(T* pointer) { return *entry_of(pointer).object; }

    void destroy(T* pointer) {
        entry_of(pointer).live = false;
        --live_;
    }

    // How many were never destroyed; "" if none.
    std::string leaked() const {
        return live_ == 0 ? "" : "\n  never destroyed: " + std::to_string(live_) + " " + kind_;
    }

  private:
    struct Entry {
        std::unique_ptr<T> object;
        bool live = false;
    };

    Entry& entry_of(T* pointer) {
        const auto found = entries_.find(pointer);
        if (found == entries_.end()) throw Misuse(std::string("not a ") + kind_);
        if (!found->second.live) throw Misuse(std::string("a destroyed ") + kind_);
        return found->second;
    }

    const char* kind_;
    std::map<const T*, Entry> entries_;
    int live_ = 0;
};

}  // namespace fakes
