#include "simd.h"

#if defined(__x86_64__)
CK_AVX512_BEGIN
#include "../vector/training.h"
CK_AVX512_END

void ck_avx512_training(ck_table *table) { fill_training(table); }
#endif
