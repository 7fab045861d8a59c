#include "engine/data/cifar10.h"

#include "engine/data/record_files.h"

namespace residual {

const DataDescription& cifar10_description() {
    static const DataDescription description{
        .name = "CIFAR-10",
        .height = Cifar10::kSide,
        .width = Cifar10::kSide,
        .channels = Cifar10::kChannels,
        .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
        .train_records = Cifar10::kTrainFiles.size() * Cifar10::kRecordsPerFile,
        .test_records = Cifar10::kRecordsPerFile};
    return description;
}

DataFormat cifar10_format() {
    RecordFiles files{.train = {},
                      .test = {{Cifar10::kTestFile, Cifar10::kRecordsPerFile}},
                      .archive = "cifar-10-binary.tar.gz",
                      .archive_folder = "cifar-10-batches-bin",
                      .python_archive = "cifar-10-python.tar.gz",
                      .python_folder = "cifar-10-batches-py",
                      .python_files = {"data_batch_1", "test_batch"}};
    for (const char* name : Cifar10::kTrainFiles) files.train.push_back({name, Cifar10::kRecordsPerFile});
    return record_files_format("cifar10", cifar10_description(), files);
}

}  // namespace residual
