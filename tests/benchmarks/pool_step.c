/* The pool step of bench.py in C: one swap with its fee, then three Halley steps of D, with the formulas of amo_opt/stableswap/invariant.py. */
#include <math.h>

#define LANES 64
#define ANN 400.0
#define FEE 0.0004
#define ADMIN 0.5

static inline double halley(double d, double linear, double constant) {
    double square = d * d, value = (square + linear) * d - constant, slope = 3.0 * square + linear;
    return d - value * slope / (slope * slope - 3.0 * value * d);
}

static inline void swap(double *x, double *y, double d, double sold) {
    double x_end = *x + sold, scale = ANN * x_end, b = scale * (x_end - d) + x_end * d, cube = d * d * d;
    double root = sqrt(b * b + cube * scale);
    double y_end = (b > 0.0 ? 0.5 * cube : root - b) / (b > 0.0 ? root + b : 2.0 * scale), out = *y - y_end;
    *x = x_end;
    *y = y_end + (1.0 - ADMIN) * FEE * (out > 0.0 ? out : 0.0);
}

static inline double refresh(double x, double y, double d) {
    double xy4 = 4.0 * x * y, linear = xy4 * (ANN - 1.0), constant = xy4 * ANN * (x + y);
    return halley(halley(halley(d, linear, constant), linear, constant), linear, constant);
}

static inline void step(double *x, double *y, double *d, double sold) {
    double x_end = *x, y_end = *y;
    swap(&x_end, &y_end, *d, sold);
    *x = x_end;
    *y = y_end;
    *d = refresh(x_end, y_end, *d);
}

/* The yardstick of the whole step: everything in one loop. */
void over_lanes(double *restrict s, const double *restrict there, const double *restrict back, int calls) {
    for (int k = 0; k < calls; k++) {
        const double *sold = k % 2 ? back : there;
        for (int i = 0; i < LANES; i++) step(&s[i], &s[LANES + i], &s[2 * LANES + i], sold[i]);
    }
}

/* D in a loop of its own, as the kernel does it: shorter chains of divisions, several lanes at work at once. */
void in_two_loops(double *restrict s, const double *restrict there, const double *restrict back, int calls) {
    for (int k = 0; k < calls; k++) {
        const double *sold = k % 2 ? back : there;
        for (int i = 0; i < LANES; i++) swap(&s[i], &s[LANES + i], s[2 * LANES + i], sold[i]);
        for (int i = 0; i < LANES; i++) s[2 * LANES + i] = refresh(s[i], s[LANES + i], s[2 * LANES + i]);
    }
}

void one_by_one(double *restrict s, const double *restrict there, const double *restrict back, int calls) {
    for (int i = 0; i < LANES; i++) {
        double x = s[i], y = s[LANES + i], d = s[2 * LANES + i];
        for (int k = 0; k < calls; k++) step(&x, &y, &d, k % 2 ? back[i] : there[i]);
        s[i] = x, s[LANES + i] = y, s[2 * LANES + i] = d;
    }
}
