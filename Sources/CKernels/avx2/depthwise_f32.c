#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/depthwise.h"
CK_AVX2_END

void ck_avx2_depthwise_f32(ck_table *table) { table->depthwise_f32 = depthwise_f32; }
#endif
