// Data sets that are published as binary files of records, in an archive that unpacks into a folder of its own.
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
    // Labels before the one that is learnt, a byte each: how many values each has. They are checked and left out.
    std::vector<int> labels_before = {};
    // "cifar-10-binary.tar.gz", and the folder that it unpacks into; each may be empty: there is none.
    std::string archive = {}, archive_folder = {};
    // The version for Python, which holds the same images in pickles: its archive, its folder, and names of files in it
    // that the binary version lacks. Empty: there is none.
    std::string python_archive = {}, python_folder = {};
    std::vector<std::string> python_files = {};
};

// A format that reads these files: each has to have exactly its bytes and labels of the description's classes.
DataFormat record_files_format(std::string name, DataDescription description, RecordFiles files);

}  // namespace residual
