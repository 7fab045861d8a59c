// Which keys a configuration may have.
#pragma once

#include "engine/config/document.h"
#include "engine/config/fields.h"

namespace residual {

// Every key that the description takes, with null for its value, and the objects that hold them. Where the keys of an
// object depend on one of them, they are those of the document's choice, which becomes the value described; no other
// value changes.
Json known_keys(const Describe& describe, const Document& document);

}  // namespace residual
