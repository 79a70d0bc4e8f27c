/* A PID controller in ideal form with the derivative of the measured value, so that a new setpoint
 * makes no kick: u = Kp (e + ∫e dt / Ti − Td dy/dt), Åström and Hägglund, "Advanced PID Control"
 * (2006), chapter 3. The derivative is filtered with Td/8. Anti-windup by back-calculation at once:
 * what the limits cut off is taken out of the integral. Pure. */
#ifndef PID_H
#define PID_H

#include <stdbool.h>
#include <stdint.h>

struct pid_settings {
    double gain;             /* Kp; negative where more output lowers the measured value */
    double integral_s;       /* Ti; 0: none */
    double derivative_s;     /* Td; 0: none */
    double minimum, maximum; /* of the output */
    int64_t sample_ms;
};

struct pid { /* starts as `= {0}` */
    bool running;
    int64_t last_ms;
    double integral;   /* its part of the output */
    double derivative; /* likewise */
    double measured;
    double output;
};

/* Goes on from `output` without a bump: that is what pid_step() gives next for the same values. */
void pid_start(struct pid *pid, const struct pid_settings *settings, double output, double error,
               double measured, int64_t now_ms);

/* One step, `sample_ms` after the last one or later. Returns the output. */
double pid_step(struct pid *pid, const struct pid_settings *settings, double setpoint,
                double measured, int64_t now_ms);

#endif
