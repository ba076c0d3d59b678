#include "simd.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/training.h"
CK_AVX2_END

void ck_avx2_training(ck_table *table) { fill_training(table); }
#endif
