// Data sets published as binary files of records, in an archive that unpacks into a folder.
#pragma once

#include <string>
#include <vector>

#include "engine/data/registry.h"

namespace residual {

struct RecordFiles {
    struct File {
        std::string name;
        int64_t records;
    };
    std::vector<File> train = {}, test = {};
    // One entry for each label byte that precedes the one used for training: its number of classes. These bytes are
    // checked, then skipped.
    std::vector<int> skipped_labels = {};
    // "cifar-10-binary.tar.gz", and the folder that it unpacks into; empty if there is none.
    std::string archive = {}, archive_folder = {};
    // The Python version (the same images, pickled): its archive, its folder, and names of files in it that the binary
    // version lacks. Empty if there is none.
    std::string python_archive = {}, python_folder = {};
    std::vector<std::string> python_files = {};
};

// A format that reads these files. Each file must have exactly the expected size and contain only labels of the
// description's classes.
DataFormat record_files_format(std::string name, DataDescription description, const RecordFiles& files);

}  // namespace residual
