#include "epilogue.h"

#if defined(__x86_64__)
CK_AVX2_BEGIN
#include "../vector/epilogue.h"

void ck_avx2_store(const ck_epilogue *e, const int32_t *sums, size_t step, size_t row, size_t count, size_t column,
                   size_t columns, const int32_t *row_sums) {
  store_sums(e, sums, step, row, count, column, columns, row_sums);
}
CK_AVX2_END
#endif
