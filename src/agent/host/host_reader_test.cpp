#include "agent/host/host_reader.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/host/host_families.hpp"
#include "agent/limits.hpp"
#include "base/metrics.hpp"
#include "base/scratch_dir.hpp"
#include "io/fd.hpp"
#include "io/file/file.hpp"

namespace meridian::agent {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class HostReaderTest : public testing::Test {
 protected:
  HostReaderTest() {
    std::filesystem::create_directories(scratch_ / "proc");
    std::filesystem::create_directories(scratch_ / "sys");
  }
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = scratch_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    ASSERT_TRUE(io::WriteFileAtomically(file, text, 0600));
  }
  HostPaths Paths() {
    return {.proc = scratch_ / "proc", .sys = scratch_ / "sys", .state_directory = scratch_.path()};
  }
  HostReading Read(std::vector<ProcessSubject> subjects = {}) {
    return ReadHost(Paths(), subjects);
  }

  ScratchDir scratch_;
};

TEST_F(HostReaderTest, FilesThatAContainerHidesMakeAbsentValues) {
  HostReading reading = Read({{.kind = "tier", .name = "edge", .pid = getpid()}});
  EXPECT_THAT(reading.cpu.times, IsEmpty());
  EXPECT_FALSE(reading.memory.total_bytes);
  EXPECT_THAT(reading.block_devices, IsEmpty());
  EXPECT_THAT(reading.network_devices, IsEmpty());
  EXPECT_FALSE(reading.descriptors);
  EXPECT_FALSE(reading.load);
  EXPECT_THAT(reading.processes, IsEmpty());
  for (const MetricFamilyReading& family : HostFamilies(reading)) {
    const bool of_calls =
        family.name.contains("state_filesystem") || family.name.contains("_clock_");
    if (!of_calls) EXPECT_THAT(family.series, IsEmpty()) << family.name;
  }
}

TEST_F(HostReaderTest, BlockDevicesNeedTheListOfWholeDevices) {
  Write("proc/diskstats", "8 0 sda 1 0 2 0 3 0 4 0 0 5 6\n8 1 sda1 1 0 2 0 3 0 4 0 0 5 6\n");
  EXPECT_THAT(Read().block_devices, IsEmpty());
  std::filesystem::create_directories(scratch_ / "sys/block/sda");
  EXPECT_THAT(Read().block_devices, SizeIs(1));
}

TEST_F(HostReaderTest, AProcessIsSummedWithItsDescendants) {
  auto stat = [&](int pid, int parent) {
    Write("proc/" + std::to_string(pid) + "/stat",
          std::to_string(pid) + " (app) S " + std::to_string(parent) +
              " 1 1 0 -1 4 2 0 0 0 3 4 5 6 20 0 11 0 15 40 25\n");
  };
  stat(10, 1);
  stat(11, 10);
  stat(12, 1);
  Write("proc/13/stat", "13 (cut off) S 10 1");
  HostReading reading =
      Read({{.kind = "instance", .name = "east-1", .pid = 10, .with_descendants = true},
            {.kind = "agent", .name = "agent", .pid = 10},
            {.kind = "tier", .name = "gone", .pid = 99, .with_descendants = true},
            {.kind = "worker", .name = "_overflow", .pid = 11},
            {.kind = "worker", .name = "_overflow", .pid = 12}});
  ASSERT_THAT(reading.processes, SizeIs(3));
  EXPECT_EQ(reading.processes[0].processes, 2U);
  EXPECT_EQ(reading.processes[0].threads, 22U);
  EXPECT_EQ(reading.processes[0].resident_bytes, 50 * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  EXPECT_FALSE(reading.processes[0].open_descriptors) << "not readable here";
  EXPECT_EQ(reading.processes[1].processes, 1U) << "the agent's children have their own series";
  EXPECT_EQ(reading.processes[2].processes, 2U) << "one series";
}

TEST_F(HostReaderTest, MoreProcessesThanTheLimitAreNotMeasuredAtAll) {
  Write("proc/10/stat", "10 (app) S 1 1 1 0 -1 4 2 0 0 0 3 4 5 6 20 0 11 0 15 40 25\n");
  const std::vector<ProcessSubject> subjects = {{.kind = "tier", .name = "edge", .pid = 10}};
  EXPECT_THAT(Read(subjects).processes, SizeIs(1));
  for (size_t i = 0; i < kMaxHostProcesses; ++i) {
    std::filesystem::create_directory(scratch_ / "proc" / std::to_string(100000 + i));
  }
  EXPECT_THAT(Read(subjects).processes, IsEmpty());
}

TEST(HostReader, ThisProcessHasTheDescriptorsThatItOpened) {
  const HostPaths paths{.state_directory = "/"};
  const std::vector<ProcessSubject> subjects = {
      {.kind = "agent", .name = "agent", .pid = getpid()}};
  HostReading before = ReadHost(paths, subjects);
  std::vector<io::Fd> opened;
  for (int i = 0; i < 50; ++i) opened.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  HostReading after = ReadHost(paths, subjects);
  ASSERT_THAT(before.processes, SizeIs(1));
  ASSERT_THAT(after.processes, SizeIs(1));
  EXPECT_EQ(after.processes[0].open_descriptors.value_or(0),
            before.processes[0].open_descriptors.value_or(0) + 50);
  EXPECT_GT(after.processes[0].descriptor_limit.value_or(0), 50U);
  EXPECT_GT(after.processes[0].resident_bytes, 1024U * 1024);
}

TEST(HostReader, AFilesystemHasSpaceAndAPathThatIsNotThereHasNone) {
  auto filesystem = ReadFilesystem("/");
  ASSERT_TRUE(filesystem);
  EXPECT_GT(filesystem->total_bytes, 0U);
  EXPECT_LE(filesystem->free_bytes, filesystem->total_bytes);
  EXPECT_FALSE(ReadFilesystem("/nothing/here"));
}

}  // namespace
}  // namespace meridian::agent
