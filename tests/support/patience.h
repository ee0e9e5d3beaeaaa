// How long tests wait on a machine that is slow, as an emulated one is: TEST_PATIENCE times as long
// as elsewhere, for the end of a command and for whatever is to become true.
#pragma once

namespace harness {

int patience();  // 1 unless said

}  // namespace harness
