// A greenhouse on an Arduino Uno, as serial-agent's demo configuration wants it; see ../README.md.
//
//   READ_SENSORS          TEMP:23.5,HUM:68.0,SOIL:41.2,LIGHT:812,FAN:0,IRRIGATION:0,LED:0
//   GET_DATA              {"temp":23.5,"hum":68.0,"soil":41.2,"light":812,"fan":false,…}
//   LED,{pin},{ON|OFF}    OK, or ERR,<text>
//   ALIVE                 OK
//
// A line ends with LF, CR or both; answers end with CR LF. Each line heard is a heartbeat, but from
// the first ALIVE on only that is one: after DEAD_MAN_MS without, all outputs go off, whatever was
// commanded before.

#ifndef DEAD_MAN_MS
#define DEAD_MAN_MS 30000UL
#endif

const unsigned long BAUD = 115200;
const unsigned LINE_MAX = 128;

struct Output {
    uint8_t pin;
    bool on;
};

Output fan = {13, false};
Output irrigation = {12, false};
Output led = {11, false};
Output *const outputs[] = {&fan, &irrigation, &led};

// Sensors with a voltage, on a board of 5 V.
const uint8_t TEMPERATURE_PIN = A0; // TMP36: 10 mV/°C, 500 mV at 0 °C
const uint8_t HUMIDITY_PIN = A1;    // HIH-4030: (V / 5 V - 0.16) / 0.0062 %
const uint8_t SOIL_PIN = A2;        // a probe: dry 0 V, wet 5 V
const uint8_t LIGHT_PIN = A3;       // a light dependent resistor

char line[LINE_MAX + 1];
unsigned length = 0;
bool fed = false; // by an ALIVE
unsigned long kept_ms = 0; // the last heartbeat

float volts(uint8_t pin)
{
    return analogRead(pin) * (5.0f / 1023.0f);
}

float temperature()
{
    return (volts(TEMPERATURE_PIN) - 0.5f) * 100.0f;
}

float humidity()
{
    return constrain((volts(HUMIDITY_PIN) / 5.0f - 0.16f) / 0.0062f, 0.0f, 100.0f);
}

float soil()
{
    return volts(SOIL_PIN) * 20.0f;
}

void write(Output &output, bool on)
{
    output.on = on;
    digitalWrite(output.pin, on ? HIGH : LOW);
}

void answer_pairs()
{
    Serial.print(F("TEMP:"));
    Serial.print(temperature(), 1);
    Serial.print(F(",HUM:"));
    Serial.print(humidity(), 1);
    Serial.print(F(",SOIL:"));
    Serial.print(soil(), 1);
    Serial.print(F(",LIGHT:"));
    Serial.print(analogRead(LIGHT_PIN));
    Serial.print(F(",FAN:"));
    Serial.print(fan.on ? 1 : 0);
    Serial.print(F(",IRRIGATION:"));
    Serial.print(irrigation.on ? 1 : 0);
    Serial.print(F(",LED:"));
    Serial.println(led.on ? 1 : 0);
}

void print_bool(bool on)
{
    if (on)
        Serial.print(F("true"));
    else
        Serial.print(F("false"));
}

void answer_json()
{
    Serial.print(F("{\"temp\":"));
    Serial.print(temperature(), 1);
    Serial.print(F(",\"hum\":"));
    Serial.print(humidity(), 1);
    Serial.print(F(",\"soil\":"));
    Serial.print(soil(), 1);
    Serial.print(F(",\"light\":"));
    Serial.print(analogRead(LIGHT_PIN));
    Serial.print(F(",\"fan\":"));
    print_bool(fan.on);
    Serial.print(F(",\"irrigation\":"));
    print_bool(irrigation.on);
    Serial.print(F(",\"led\":"));
    print_bool(led.on);
    Serial.println(F("}"));
}

Output *find(long pin)
{
    for (Output *output : outputs)
        if (output->pin == pin)
            return output;
    return NULL;
}

void answer_led(const char *arguments)
{
    char *value;
    long pin = strtol(arguments, &value, 10);
    Output *output = find(pin);

    if (value == arguments || *value != ',') {
        Serial.println(F("ERR,expected LED,pin,ON or OFF"));
        return;
    }
    value++;
    if (!output) {
        Serial.print(F("ERR,unknown pin "));
        Serial.println(pin);
    } else if (strcmp(value, "ON") != 0 && strcmp(value, "OFF") != 0) {
        Serial.println(F("ERR,value must be ON or OFF"));
    } else {
        write(*output, strcmp(value, "ON") == 0);
        Serial.println(F("OK"));
    }
}

void beat()
{
    bool alive = strcmp(line, "ALIVE") == 0;

    fed = fed || alive;
    if (alive || !fed)
        kept_ms = millis();
}

void answer()
{
    if (strcmp(line, "READ_SENSORS") == 0)
        answer_pairs();
    else if (strcmp(line, "GET_DATA") == 0)
        answer_json();
    else if (strcmp(line, "ALIVE") == 0)
        Serial.println(F("OK"));
    else if (strncmp(line, "LED,", 4) == 0)
        answer_led(line + 4);
    else
        Serial.println(F("ERR,unknown command"));
}

void take(char c)
{
    if (c != '\n' && c != '\r') {
        if (length < LINE_MAX) // what does not fit is lost, and the line is then none
            line[length++] = c;
        return;
    }
    if (length == 0)
        return;
    line[length] = '\0';
    length = 0;
    beat();
    answer();
}

void setup()
{
    for (Output *output : outputs) {
        pinMode(output->pin, OUTPUT);
        write(*output, false);
    }
    Serial.begin(BAUD);
    Serial.println(F("READY"));
    kept_ms = millis();
}

void loop()
{
    while (Serial.available() > 0)
        take((char)Serial.read());
    if (millis() - kept_ms >= DEAD_MAN_MS) // right over the wrap of millis() too
        for (Output *output : outputs)
            if (output->on)
                write(*output, false);
}
