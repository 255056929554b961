#include "agent/host/host_text.hpp"

#include <string>
#include <vector>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/limits.hpp"

namespace meridian::agent {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr double kTicks = 100;

TEST(HostText, CpuTimeIsInSecondsByMode) {
  CpuReading cpu = ParseCpu(
      "cpu  4136986 496251 1211859 2441118 13757 7 20396 5 900 0\n"
      "cpu0 2031818 251464 587922 1278270 2878 0 7626 0 0 0\n"
      "cpu1 2105168 244787 623936 1162847 10878 0 12770 0 0 0\n"
      "intr 26724586 0 0 0\nctxt 44843973\nbtime 1795989730\nprocesses 420701\n",
      kTicks);
  std::string text;
  for (const CpuTime& each : cpu.times) text += fmt::format("{} {} ", each.mode, each.seconds);
  EXPECT_EQ(text,
            "user 41369.86 nice 4962.51 system 12118.59 idle 24411.18 iowait 137.57 irq 0.07 "
            "softirq 203.96 steal 0.05 ");
  EXPECT_EQ(cpu.cores, 2U);
  EXPECT_EQ(cpu.boot_time_seconds, 1795989730.0);
}

TEST(HostText, AnOldKernelHasFewerModes) {
  CpuReading cpu = ParseCpu("cpu 100 200 300 400\n", kTicks);
  ASSERT_THAT(cpu.times, SizeIs(4));
  EXPECT_EQ(cpu.times[3].mode, "idle");
  EXPECT_EQ(cpu.times[3].seconds, 4);
}

TEST(HostText, ACpuLineThatIsCutOffOrMalformedIsAbsent) {
  for (const char* text : {"", "cpu", "cpu 1 2 3 4", "cpu 1 2 x 4\n", "cpu 1 -2 3 4\n", "\n \n",
                           "cpu 1 99999999999999999999 3 4\n", "cpu1.5 1 2 3 4\n"}) {
    CpuReading cpu = ParseCpu(text, kTicks);
    EXPECT_THAT(cpu.times, IsEmpty()) << text;
    EXPECT_FALSE(cpu.cores) << text;
  }
  EXPECT_FALSE(ParseCpu("btime 17959", kTicks).boot_time_seconds) << "it was cut off";
}

TEST(HostText, MemoryIsInBytes) {
  MemoryReading memory = ParseMemory(
      "MemTotal:       24683620 kB\nMemFree:        20835676 kB\nMemAvailable:   23189980 kB\n"
      "SwapTotal:             0 kB\nSwapFree:              0 kB\nHugePages_Total:       0\n");
  EXPECT_EQ(memory.total_bytes, 24683620ULL * 1024);
  EXPECT_EQ(memory.available_bytes, 23189980ULL * 1024);
  EXPECT_EQ(memory.swap_total_bytes, 0U) << "a host without swap says so";
  EXPECT_EQ(memory.swap_free_bytes, 0U);
}

TEST(HostText, MemoryThatIsMissingMalformedOrTooLargeIsAbsentAndNotZero) {
  for (const char* text :
       {"", "MemTotal: 12", "MemTotal: 12 kB", "MemTotal: 12 MB\n", "MemTotal: twelve kB\n",
        "MemTotal: 18446744073709551615 kB\n", "MemTotal: 99999999999999999999999 kB\n"}) {
    MemoryReading memory = ParseMemory(text);
    EXPECT_FALSE(memory.total_bytes) << text;
    EXPECT_FALSE(memory.available_bytes) << text;
  }
}

const std::vector<std::string> kWhole = {"loop0", "ram1", "zram0", "dm-0",
                                         "md127", "vda",  "sr0",   "cciss!c0d0"};

TEST(HostText, BlockDevicesAreWholeDevicesOnHardware) {
  const char* numbers =
      " 1054912 150138 47580354 730274 2361233 501035 98385704 842512 0 524884 1\n";
  std::string text;
  for (const char* name : {"loop0", "ram1", "zram0", "dm-0", "md127", "vda", "vda1", "sr0"}) {
    text += fmt::format(" 254 0 {}{}", name, numbers);
  }
  text += " 104 0 cciss/c0d0 1 0 2 0 3 0 4 0 0 5 6\n";
  std::vector<BlockDevice> devices = ParseBlockDevices(text, kWhole);
  ASSERT_THAT(devices, SizeIs(2));
  EXPECT_EQ(devices[0].name, "vda");
  EXPECT_EQ(devices[0].reads, 1054912U);
  EXPECT_EQ(devices[0].read_bytes, 47580354ULL * 512);
  EXPECT_EQ(devices[0].writes, 2361233U);
  EXPECT_EQ(devices[0].written_bytes, 98385704ULL * 512);
  EXPECT_DOUBLE_EQ(devices[0].busy_seconds, 524.884);
  EXPECT_EQ(devices[1].name, "cciss/c0d0");
  EXPECT_EQ(devices[1].written_bytes, 4ULL * 512);
}

TEST(HostText, ABlockDeviceWithAStrangeLineIsLeftOut) {
  const std::vector<std::string> whole = {"a", "_overflow", std::string(kMaxDeviceName + 1, 'x')};
  for (const std::string& text :
       {std::string("8 0 a 1 0 2 0 3 0 4 0 0 5 6"), std::string("8 0 a 1 0 2 0 3 0 4 0 0\n"),
        std::string("8 0 a 1 0 18446744073709551615 0 3 0 4 0 0 5\n"),
        std::string("8 0 a 1 0 2 0 3 0 4 0 0 -5\n"), std::string("8 0\n"),
        std::string("8 0 _overflow 1 0 2 0 3 0 4 0 0 5\n"),
        "8 0 " + whole[2] + " 1 0 2 0 3 0 4 0 0 5\n"}) {
    EXPECT_THAT(ParseBlockDevices(text, whole), IsEmpty()) << text;
  }
}

TEST(HostText, NetworkDevicesOfThisHostAndBothDirections) {
  std::vector<NetworkDevice> devices = ParseNetworkDevices(
      "Inter-|   Receive                            |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets\n"
      "    lo: 36452884934 20153700    0    0    0     0          0         0 9 8 7 6 0 0 0 0\n"
      "  ifb0:       0       0    0    0    0     0          0         0  0 0 0 0 0 0 0 0\n"
      "veth12:       1       1    0    0    0     0          0         0  0 0 0 0 0 0 0 0\n"
      "  eth0:1804348376   71190    1    2    0     0          0         0 4 3 0 0 0 0 0 0\n"
      "docker0: 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
  ASSERT_THAT(devices, SizeIs(2));
  EXPECT_EQ(devices[0].name, "lo");
  EXPECT_EQ(devices[0].sent.bytes, 9U);
  EXPECT_EQ(devices[0].sent.packets, 8U);
  EXPECT_EQ(devices[0].sent.errors, 7U);
  EXPECT_EQ(devices[0].sent.drops, 6U);
  EXPECT_EQ(devices[1].name, "eth0");
  EXPECT_EQ(devices[1].received.bytes, 1804348376U);
  EXPECT_EQ(devices[1].received.errors, 1U);
  EXPECT_EQ(devices[1].received.drops, 2U);
}

std::string NetworkLine(const std::string& name) {
  return name + ": 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n";
}

TEST(HostText, ManyDevicesAreSummedPastTheLimit) {
  std::string text;
  for (size_t i = 0; i < kMaxHostDevices + 5; ++i) text += NetworkLine(fmt::format("eth{}", i));
  std::vector<NetworkDevice> devices = ParseNetworkDevices(text);
  ASSERT_THAT(devices, SizeIs(kMaxHostDevices + 1));
  EXPECT_EQ(devices[kMaxHostDevices - 1].received.bytes, 1U);
  EXPECT_EQ(devices.back().name, "_overflow");
  EXPECT_EQ(devices.back().received.bytes, 5U);
  EXPECT_EQ(devices.back().sent.drops, 40U);
}

TEST(HostText, ANetworkDeviceWithAStrangeNameOrLineIsLeftOut) {
  for (const std::string& text :
       {NetworkLine("\xff\xfe"), NetworkLine("a\tb"), NetworkLine(""), NetworkLine("_overflow"),
        NetworkLine(std::string(kMaxDeviceName + 1, 'x')), std::string("eth0: 1 2 3\n"),
        std::string("eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 99999999999999999999\n"),
        std::string("eth0: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 1")}) {
    EXPECT_THAT(ParseNetworkDevices(text), IsEmpty()) << text;
  }
  EXPECT_THAT(ParseNetworkDevices(NetworkLine("a\"b\\c")), SizeIs(1)) << "the writer escapes it";
  EXPECT_THAT(ParseNetworkDevices(NetworkLine("eth0") + NetworkLine("eth0")), SizeIs(1));
}

TEST(HostText, Descriptors) {
  auto descriptors = ParseDescriptors("1043\t3\t9223372036854775807\n");
  ASSERT_TRUE(descriptors);
  EXPECT_EQ(descriptors->open, 1040U);
  EXPECT_EQ(descriptors->limit, 9223372036854775807U);
  for (const char* text : {"", "1 0", "1 0 5", "1 2 5\n", "1 0 x\n"}) {
    EXPECT_FALSE(ParseDescriptors(text)) << text;
  }
}

TEST(HostText, PressureIsTheTotalInSeconds) {
  Pressure io = ParsePressure("io",
                              "some avg10=0.00 avg60=0.01 avg300=0.90 total=294083661\n"
                              "full avg10=0.00 avg60=0.00 avg300=0.61 total=92799960\n");
  EXPECT_EQ(io.resource, "io");
  EXPECT_DOUBLE_EQ(io.some_seconds.value_or(0), 294.083661);
  EXPECT_DOUBLE_EQ(io.full_seconds.value_or(0), 92.79996);
  Pressure old = ParsePressure("cpu", "some avg10=0.00 avg60=0.01 avg300=0.90 total=5\n");
  EXPECT_TRUE(old.some_seconds);
  EXPECT_FALSE(old.full_seconds) << "before Linux 5.13";
  Pressure cut = ParsePressure("io", "some avg10=0.00 total=2940");
  EXPECT_FALSE(cut.some_seconds);
}

TEST(HostText, Load) {
  auto load = ParseLoad("6.11 3.40 1.81 7/111 31289\n");
  ASSERT_TRUE(load);
  EXPECT_EQ(load->minutes_1, 6.11);
  EXPECT_EQ(load->minutes_15, 1.81);
  for (const char* text :
       {"", "6.11 3.40\n", "6.11 3.40 1.8", "a b c\n", "-1 0 0\n", "nan 1 1\n"}) {
    EXPECT_FALSE(ParseLoad(text)) << text;
  }
}

}  // namespace
}  // namespace meridian::agent
