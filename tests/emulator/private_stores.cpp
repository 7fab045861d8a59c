#include "tests/emulator/private_stores.h"

#include "tests/emulator/exchange.h"

namespace emulator {

void PrivateStores::show(const Stores& stores) const {
    for (const auto& [address, byte] : stores) *address = byte;
}

void PrivateStores::hide(Stores& stores) {
    stores.clear();
    Memory::instance().visit_differences(common_, [&](unsigned char* address, unsigned char& common) {
        if (Exchange::instance().holds(address)) {
            common = *address;
        } else {
            stores.emplace_back(address, *address);
            *address = common;
        }
    });
}

}  // namespace emulator
