#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN
#include "../vector/depthwise.h"
CK_NEON_END

void ck_neon_depthwise_f32(ck_table *table) { table->depthwise_f32 = depthwise_f32; }
#endif
