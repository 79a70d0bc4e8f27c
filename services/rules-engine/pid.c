#include "pid.h"

#define FILTER 8 /* Td / N: N of 2 to 20 are usual */

static double limited(const struct pid_settings *settings, double output)
{
    if (output < settings->minimum)
        return settings->minimum;
    return output > settings->maximum ? settings->maximum : output;
}

void pid_start(struct pid *pid, const struct pid_settings *settings, double output, double error,
               double measured, int64_t now_ms)
{
    output = limited(settings, output);
    *pid = (struct pid){
        .running = true,
        .last_ms = now_ms,
        .integral = output - settings->gain * error,
        .measured = measured,
        .output = output,
    };
}

/* Backward differences, which stay stable for every sample time. */
static void derive(struct pid *pid, const struct pid_settings *settings, double measured,
                   double seconds)
{
    double filter_s = settings->derivative_s / FILTER;
    double change = settings->gain * settings->derivative_s * (measured - pid->measured);
    pid->derivative = settings->derivative_s > 0
                          ? (filter_s * pid->derivative - change) / (filter_s + seconds)
                          : 0;
    pid->measured = measured;
}

double pid_step(struct pid *pid, const struct pid_settings *settings, double setpoint,
                double measured, int64_t now_ms)
{
    double seconds = (double)(now_ms - pid->last_ms) / 1000;
    double error = setpoint - measured;
    pid->last_ms = now_ms;
    derive(pid, settings, measured, seconds);
    if (settings->integral_s > 0)
        pid->integral += settings->gain * error * seconds / settings->integral_s;
    double wanted = settings->gain * error + pid->integral + pid->derivative;
    pid->output = limited(settings, wanted);
    if (settings->integral_s > 0)
        pid->integral += pid->output - wanted;
    return pid->output;
}
