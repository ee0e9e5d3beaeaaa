// Where the containers of a pod write, STATE_DIR/POD: on a disk, and so not gone with the pod's
// directory when the machine is booted anew, and the same for pods of one name below two --roots.
// So it says whose it is: what nobody has any more is taken away before a new pod gets the place,
// and what another pod has is not touched.
#pragma once

#include "src/base/result.h"
#include "src/pod/paths.h"
#include "src/pod/pod.h"

namespace ocirt::shim {

// An empty place for this pod. Refuses one that another pod has.
Result<> make_layer_place(const pod::Pod& pod, const pod::Layout& layout);

// Takes away what this pod has there. That it has nothing is no error.
Result<> remove_layer_place(const pod::Pod& pod, const pod::Layout& layout);

}  // namespace ocirt::shim
