// Checks that ThreadSanitizer detects races:
//     planted-race openmp|thread race|sound
// `race` omits the synchronisation that `sound` has. Both use two threads.
#include <omp.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <numeric>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr int kElements = 1 << 16;

// Each thread writes one half of the array and reads the other half in the next loop; `sound` has a barrier between the
// loops.
int openmp(bool sound) {
    std::vector<int> values(kElements), copy(kElements);
    omp_set_num_threads(2);
#pragma omp parallel
    {
#pragma omp for schedule(static) nowait
        for (int i = 0; i < kElements; ++i) values[i] = 1;
        if (sound) {
#pragma omp barrier
        }
#pragma omp for schedule(static)
        for (int i = 0; i < kElements; ++i) copy[i] = values[kElements - 1 - i];
    }
    return std::accumulate(copy.begin(), copy.end(), 0);
}

// The worker reads a value that the main thread writes; `sound` passes it under a mutex.
int thread(bool sound) {
    int value = 0, result = 0;
    bool ready = false;
    std::mutex mutex;
    std::condition_variable changed;
    std::thread worker([&] {
        if (sound) {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return ready; });
        }
        result = value + 1;
    });
    value = kElements - 1;
    if (sound) {
        const std::lock_guard lock(mutex);
        ready = true;
        changed.notify_one();
    }
    worker.join();
    return result;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view kind = count == 3 ? arguments[1] : "", how = count == 3 ? arguments[2] : "";
    if ((kind != "openmp" && kind != "thread") || (how != "race" && how != "sound")) {
        std::fputs("usage: planted-race openmp|thread race|sound\n", stderr);
        return 2;
    }
    const bool sound = how == "sound";
    const int result = kind == "openmp" ? openmp(sound) : thread(sound);
    return sound && result != kElements ? 1 : 0;
}
