#include "tests/emulator/exchange.h"

#include <algorithm>
#include <string>

#include "tests/emulator/block.h"
#include "tests/emulator/fault.h"
#include "tests/emulator/text.h"

namespace emulator {

namespace {

constexpr Time kUnfenced = ~Time{0};
constexpr size_t kWordBytes = sizeof(uint32_t), kPageBytes = kPageWords * kWordBytes;

Block& running() {
    return Block::current();
}
Order& own() {
    return running().thread().order;
}

// A thread's order includes that of its block.
Time latest(Time Order::*member) {
    return std::max(own().*member, running().order().*member);
}

std::string where(const char* name, const std::source_location& place) {
    return std::string(name) + " at " + text(place) + ": thread " + text(running().thread().index);
}

// One block in two is paused, so that the others run in between.
void maybe_pause() {
    if (running().random().below(2) == 0) running().pause();
}

}  // namespace

void Order::join(Order& other) {
    released = std::max(released, other.released);
    observed = std::max(observed, other.observed);
    visible = std::max(visible, other.visible);
    unfenced.insert(unfenced.end(), other.unfenced.begin(), other.unfenced.end());
    other.unfenced.clear();
}

Exchange& Exchange::instance() {
    static Exchange& exchange = *new Exchange;
    return exchange;
}

uintptr_t Exchange::page_of(const unsigned char* address) {
    return reinterpret_cast<uintptr_t>(address) / kPageBytes;
}
size_t Exchange::index_in_page(const unsigned char* address) {
    return reinterpret_cast<uintptr_t>(address) % kPageBytes / kWordBytes;
}

void Exchange::check_order(const char* name, const std::source_location& place, const Word& word) const {
    if (word.block == running().number() || word.time <= latest(&Order::visible)) return;
    throw Fault(where(name, place) + " uses what block number " + std::to_string(word.block) + " has stored" +
                (word.time == kUnfenced
                     ? ", but that block has executed no __threadfence since"
                     : " and fenced, but has not itself executed __threadfence after an atomic that follows that one"));
}

void Exchange::store(const std::source_location& place, const void* target, const void* value, size_t bytes) {
    const auto* address = static_cast<const unsigned char*>(target);
    for (size_t i = 0; i < bytes; i += kWordBytes) {
        Word& word = pages_[page_of(address + i)][index_in_page(address + i)];
        if (word.block != kNoBlock) check_order("__stcg", place, word);
        word.block = running().number();
        word.time = kUnfenced;
        std::memcpy(&word.value, static_cast<const unsigned char*>(value) + i, kWordBytes);
        own().unfenced.push_back(&word);
    }
}

void Exchange::load(const std::source_location& place, const void* source, void* value, size_t bytes) {
    const auto* address = static_cast<const unsigned char*>(source);
    for (size_t i = 0; i < bytes; i += kWordBytes) {
        const auto page = pages_.find(page_of(address + i));
        if (page == pages_.end() || page->second[index_in_page(address + i)].block == kNoBlock) {
            throw Fault(where("__ldcg", place) + " reads what no block has stored with __stcg");
        }
        const Word& word = page->second[index_in_page(address + i)];
        check_order("__ldcg", place, word);
        std::memcpy(static_cast<unsigned char*>(value) + i, &word.value, kWordBytes);
    }
}

void Exchange::fence() {
    ++now_;
    for (Order* order : {&own(), &running().order()}) {
        for (Word* word : order->unfenced) word->time = now_;
        order->unfenced.clear();
    }
    own().visible = latest(&Order::observed);
    own().released = now_;
}

void Exchange::before_atomic(const void* target) {
    maybe_pause();
    Time& released = released_[target];
    own().observed = std::max(own().observed, released);
    released = std::max(released, latest(&Order::released));
}

void Exchange::after_atomic() {
    maybe_pause();
}

bool Exchange::holds(const unsigned char* address) const {
    const auto page = pages_.find(page_of(address));
    if (page != pages_.end() && page->second[index_in_page(address)].block != kNoBlock) return true;
    const auto first_byte = [&](size_t bytes) { return address - reinterpret_cast<uintptr_t>(address) % bytes; };
    return released_.contains(first_byte(4)) || released_.contains(first_byte(8));
}

void Exchange::finish() {
    for (const auto& [number, page] : pages_) {
        auto* address = reinterpret_cast<unsigned char*>(number * kPageBytes);
        for (const Word& word : page) {
            if (word.block != kNoBlock) {
                if (std::any_of(address, address + kWordBytes, [](unsigned char byte) { return byte != kPoison; })) {
                    throw Fault("an ordinary store has overwritten what block number " + std::to_string(word.block) +
                                " has stored with __stcg");
                }
                std::memcpy(address, &word.value, kWordBytes);
            }
            address += kWordBytes;
        }
    }
    clear();
}

void Exchange::clear() {
    now_ = 0;
    pages_.clear();
    released_.clear();
}

}  // namespace emulator
