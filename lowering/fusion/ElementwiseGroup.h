// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elementwise ops that follow each other, as one op of several results: what
// they share is read once, and what one computes for the next is no memory.

#ifndef WEFT_LOWERING_FUSION_ELEMENTWISEGROUP_H
#define WEFT_LOWERING_FUSION_ELEMENTWISEGROUP_H

#include "lowering/fusion/RowGroup.h"

namespace weft {

/// Replaces the members of a group by one op, if all of them are elementwise
/// over the same loops and write in the order of these. Temporaries that the
/// group alone uses are gone. Whether it was done.
bool mergeElementwise(const RowGroup &group);

} // namespace weft

#endif // WEFT_LOWERING_FUSION_ELEMENTWISEGROUP_H
