// Multiply–adds from registers, enough of them side by side to hide their latency, and reads that do nothing else.
// PEAK_DOT(sum, a, b) is the level's product of 8-bit codes, PEAK_DOT_MACS the multiply–adds in one, PEAK_SUMS how many
// sums hide the latency, PEAK_REGISTER the constraint of a vector register.

static double peak_f32(size_t rounds) {
  vf sums[PEAK_SUMS];
  for (int i = 0; i < PEAK_SUMS; i++) sums[i] = v_set(1.0f + (float)i);
  vf a = v_set(0.5f), b = v_set(0.25f);
  for (size_t r = 0; r < rounds; r++) {
    __asm__ volatile("" : "+" PEAK_REGISTER(a), "+" PEAK_REGISTER(b));
    CK_UNROLL for (int i = 0; i < PEAK_SUMS; i++) sums[i] = v_fma(sums[i], a, b);
  }
  vf sum = sums[0];
  for (int i = 1; i < PEAK_SUMS; i++) sum = v_max(sum, sums[i]);
  __asm__ volatile("" ::PEAK_REGISTER(sum));
  return 2.0 * V_WIDTH * PEAK_SUMS * (double)rounds;
}

static double peak_u8s8(size_t rounds) {
  vi sums[PEAK_SUMS];
  for (int i = 0; i < PEAK_SUMS; i++) sums[i] = vi_set(i);
  vi a = vi_set(0x03030303), b = vi_set(0x05050505);
  for (size_t r = 0; r < rounds; r++)
    CK_UNROLL for (int i = 0; i < PEAK_SUMS; i++) {
      __asm__ volatile("" : "+" PEAK_REGISTER(a));  // else one product may serve all sums
      sums[i] = PEAK_DOT(sums[i], a, b);
    }
  vi sum = sums[0];
  for (int i = 1; i < PEAK_SUMS; i++) sum = vi_add(sum, sums[i]);
  __asm__ volatile("" ::PEAK_REGISTER(sum));
  return 2.0 * PEAK_DOT_MACS * PEAK_SUMS * (double)rounds;
}

/// Or of all words; a tail shorter than a step is left out.
static uint64_t read_words(const uint64_t *words, size_t n) {
  const float *p = (const float *)words;
  size_t step = 8 * V_WIDTH;
  vf sums[8];
  for (int k = 0; k < 8; k++) sums[k] = v_set(0);
  for (size_t i = 0; i + step <= 2 * n; i += step)
    CK_UNROLL for (int k = 0; k < 8; k++) {
      vf x = v_load(p + i + (size_t)k * V_WIDTH);
      sums[k] = v_float(v_bits(sums[k]) | v_bits(x));
    }
  for (int k = 1; k < 8; k++) sums[0] = v_float(v_bits(sums[0]) | v_bits(sums[k]));
  uint64_t result[V_WIDTH / 2], sum = 0;
  v_store((float *)result, sums[0]);
  for (int k = 0; k < V_WIDTH / 2; k++) sum |= result[k];
  return sum;
}

static void fill_peak(ck_table *table) {
  table->peak_f32 = peak_f32;
  table->peak_u8s8 = peak_u8s8;
  table->read_words = read_words;
}
