// The objects of one kind that a library has handed out: who is alive, who is not any more.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tests/fakes/refusal.h"

namespace fakes {

// An object that was destroyed keeps its memory to the end of the process, so that its address is never given to
// another one and a use after its end is always recognised.
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

    // Throws Misuse unless it is alive.
    T& at(T* pointer) { return *entry_of(pointer).object; }

    void destroy(T* pointer) {
        entry_of(pointer).live = false;
        --live_;
    }

    // "" or how many were never destroyed.
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
        if (!found->second.live) throw Misuse(std::string("a ") + kind_ + " that was destroyed before");
        return found->second;
    }

    const char* kind_;
    std::map<const T*, Entry> entries_;
    int live_ = 0;
};

}  // namespace fakes
