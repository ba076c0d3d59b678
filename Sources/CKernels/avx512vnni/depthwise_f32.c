#include "simd.h"

#if defined(__x86_64__)
CK_AVX512_BEGIN
#include "../vector/depthwise.h"
CK_AVX512_END

void ck_avx512_depthwise_f32(ck_table *table) { table->depthwise_f32 = depthwise_f32; }
#endif
