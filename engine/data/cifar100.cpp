// CIFAR-100, binary version (Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009): a record is
// the coarse label (one of 20), the fine label (one of 100), then the red, green and blue planes of 32x32 bytes each.
// The network is trained on the fine label.
#include "engine/data/record_files.h"

namespace residual {

DataFormat cifar100_format() {
    constexpr int kSide = 32, kChannels = 3;
    constexpr int64_t kTrainRecords = 50'000, kTestRecords = 10'000;
    DataDescription description{
        .name = "CIFAR-100",
        .height = kSide,
        .width = kSide,
        .channels = kChannels,
        .class_names = {"apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
                        "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
                        "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
                        "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
                        "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
                        "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
                        "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
                        "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
                        "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
                        "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
                        "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
                        "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
                        "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
                        "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
                        "table",       "tank",          "telephone", "television", "tiger",        "tractor",
                        "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
                        "willow_tree", "wolf",          "woman",     "worm"},
        .train_records = kTrainRecords,
        .test_records = kTestRecords};
    return record_files_format("cifar100", std::move(description),
                               {.train = {{"train.bin", kTrainRecords}},
                                .test = {{"test.bin", kTestRecords}},
                                .skipped_labels = {20},  // the coarse label
                                .archive = "cifar-100-binary.tar.gz",
                                .archive_folder = "cifar-100-binary",
                                .python_archive = "cifar-100-python.tar.gz",
                                .python_folder = "cifar-100-python",
                                .python_files = {"train", "test", "meta"}});
}

}  // namespace residual
