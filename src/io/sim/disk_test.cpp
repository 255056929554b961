#include "io/file/disk.hpp"

#include "io/sim/limits.hpp"
#include "io/sim/sim_fixture.hpp"

namespace meridian::io::sim {
namespace {

Task<std::string> Content(File& file) {
  std::string text(size_t{1} << 16, '\0');
  Result<size_t> got =
      co_await file.ReadAt(0, {reinterpret_cast<uint8_t*>(text.data()), text.size()});
  CHECK(got);
  co_return text.substr(0, *got);
}

// The content at `path`, or the error's name.
Task<std::string> ContentAt(Disk& disk, std::string path) {
  auto file = co_await disk.Open(path, OpenMode::kRead);
  if (!file) co_return std::string(ErrcName(file.error().code));
  co_return co_await Content(**file);
}

Task<std::unique_ptr<File>> Create(Disk& disk, std::string path, std::string text) {
  auto file = co_await disk.Open(path, OpenMode::kCreate);
  CHECK(file);
  CHECK(co_await (*file)->WriteAt(0, AsBytes(text)));
  co_return std::move(*file);
}

// A program writes, its machine crashes after a while, and its next life reads.
class SimDiskTest : public testing::Test {
 protected:
  // The results of ReadBack over many seeds.
  std::set<std::string> Outcomes(std::function<Task<void>(Disk&)> write, std::string path,
                                 CrashKind kind = CrashKind::kMachine) {
    std::set<std::string> outcomes;
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      World world(seed);
      auto run = [&](Machine& machine) -> Task<void> {
        if (machine.process.lives() == 1) {
          co_await write(machine.disk);
          (void)co_await Sleep(seconds{100});
        } else {
          outcomes.insert(co_await ContentAt(machine.disk, path));
        }
      };
      SimProcess& process = world.AddProcess({.name = "writer", .address = kServerAddress}, run);
      world.After(seconds{1}, [&] { process.Crash(kind); });
      world.After(seconds{2}, [&] { process.Restart(); });
      world.RunFor(seconds{3});
    }
    return outcomes;
  }
  // Runs `use` on a disk with `faults`, to its end.
  void Use(DiskFaults faults, std::function<Task<void>(Disk&, SimProcess&)> use) {
    World world(1);
    auto run = [&](Machine& machine) -> Task<void> {
      machine.process.disk().faults = faults;
      co_await use(machine.disk, machine.process);
    };
    world.AddProcess({.name = "user", .address = kServerAddress, .must_end = true}, run);
    world.RunToEnd(world.now() + seconds{60});
    EXPECT_EQ(world.failure(), std::nullopt);
  }
};

using Texts = std::set<std::string>;

TEST_F(SimDiskTest, SyncedDataSurvivesACrash) {
  auto write = [](Disk& disk) -> Task<void> {
    auto file = co_await Create(disk, "log", "synced");
    CHECK(co_await file->Sync());
    CHECK(co_await disk.SyncFolder(""));
  };
  EXPECT_EQ(Outcomes(write, "log"), Texts{"synced"});
}

TEST_F(SimDiskTest, UnsyncedDataMayBeLostOrKept) {
  auto write = [](Disk& disk) -> Task<void> {
    auto file = co_await Create(disk, "log", "old");
    CHECK(co_await file->Sync());
    CHECK(co_await disk.SyncFolder(""));
    CHECK(co_await file->WriteAt(0, AsBytes("new")));
  };
  EXPECT_EQ(Outcomes(write, "log"), (Texts{"old", "new"}));
}

TEST_F(SimDiskTest, LongWriteMayBeTornAtASector) {
  auto write = [](Disk& disk) -> Task<void> {
    auto file = co_await Create(disk, "log", std::string(3 * kSectorBytes, 'a'));
    CHECK(co_await file->Sync());
    CHECK(co_await disk.SyncFolder(""));
    CHECK(co_await file->WriteAt(0, AsBytes(std::string(3 * kSectorBytes, 'b'))));
  };
  auto torn = [](size_t sectors) {
    return std::string(sectors * kSectorBytes, 'b') +
           std::string((3 - sectors) * kSectorBytes, 'a');
  };
  EXPECT_EQ(Outcomes(write, "log"), (Texts{torn(0), torn(1), torn(2), torn(3)}));
}

TEST_F(SimDiskTest, NameThatWasNotSyncedMayBeLostThoughItsDataWas) {
  auto write = [](Disk& disk) -> Task<void> {
    auto file = co_await Create(disk, "log", "data");
    CHECK(co_await file->Sync());
  };
  EXPECT_EQ(Outcomes(write, "log"), (Texts{"data", "not found"}));
}

TEST_F(SimDiskTest, RenameIsWholeOrDidNotHappen) {
  auto write = [](Disk& disk) -> Task<void> {
    auto old = co_await Create(disk, "log", "old");
    CHECK(co_await old->Sync());
    auto next = co_await Create(disk, "next", "new");
    CHECK(co_await next->Sync());
    CHECK(co_await disk.SyncFolder(""));
    CHECK(co_await disk.Rename("next", "log"));
  };
  EXPECT_EQ(Outcomes(write, "log"), (Texts{"old", "new"}));
}

TEST_F(SimDiskTest, CrashOfTheProcessAloneLosesNothing) {
  auto write = [](Disk& disk) -> Task<void> { (void)co_await Create(disk, "log", "unsynced"); };
  EXPECT_EQ(Outcomes(write, "log", CrashKind::kProcess), Texts{"unsynced"});
}

TEST_F(SimDiskTest, FullDiskIsUnavailableOneByteLater) {
  Use({.capacity_bytes = 10}, [](Disk& disk, SimProcess&) -> Task<void> {
    auto file = co_await Create(disk, "log", "0123456789");
    Result<void> more = co_await file->WriteAt(10, AsBytes("x"));
    EXPECT_EQ(more.error().code, Errc::kUnavailable);
    Result<void> longer = co_await file->Truncate(11);
    EXPECT_EQ(longer.error().code, Errc::kUnavailable);
    EXPECT_TRUE(co_await file->Truncate(9));
    EXPECT_TRUE(co_await file->WriteAt(9, AsBytes("x")));
    EXPECT_EQ(co_await Content(*file), "012345678x");
  });
}

TEST_F(SimDiskTest, BitsFlipOnCommandAndByRate) {
  Use({}, [](Disk& disk, SimProcess& process) -> Task<void> {
    auto file = co_await Create(disk, "log", "aaaa");
    process.disk().FlipBit("log", 9);
    EXPECT_EQ(co_await Content(*file), "acaa");
  });
  Use({.flips_per_write = 1}, [](Disk& disk, SimProcess&) -> Task<void> {
    auto file = co_await Create(disk, "log", "aaaa");
    EXPECT_NE(co_await Content(*file), "aaaa");
  });
}

TEST_F(SimDiskTest, SyncMayFail) {
  Use({.sync_failures = 1}, [](Disk& disk, SimProcess&) -> Task<void> {
    auto file = co_await Create(disk, "log", "x");
    Result<void> synced = co_await file->Sync();
    EXPECT_EQ(synced.error().code, Errc::kIo);
  });
}

TEST_F(SimDiskTest, WriteAndSyncTellsOfASyncThatFailed) {
  Use({.sync_failures = 1}, [](Disk& disk, SimProcess&) -> Task<void> {
    auto file = co_await Create(disk, "log", "x");
    Result<void> synced = co_await file->WriteAndSync(1, AsBytes("y"));
    EXPECT_EQ(synced.error().code, Errc::kIo);
    EXPECT_TRUE(synced.error().message.starts_with("sync failed")) << synced.error().message;
  });
}

TEST_F(SimDiskTest, DataOfWriteAndSyncSurvivesACrash) {
  auto write = [](Disk& disk) -> Task<void> {
    auto file = co_await Create(disk, "log", "");
    CHECK(co_await file->WriteAndSync(0, AsBytes("synced")));
    CHECK(co_await disk.SyncFolder(""));
  };
  EXPECT_EQ(Outcomes(write, "log"), Texts{"synced"});
}

TEST_F(SimDiskTest, OperationsTakeTime) {
  Use({.latency = seconds{3}, .jitter = {}}, [](Disk& disk, SimProcess& process) -> Task<void> {
    TimePoint begin = process.Now();
    (void)co_await disk.Open("log", OpenMode::kCreate);
    EXPECT_EQ(process.Now() - begin, seconds{3});
  });
}

TEST_F(SimDiskTest, FilesAreFoundAndListedByName) {
  Use({}, [](Disk& disk, SimProcess&) -> Task<void> {
    Result<std::unique_ptr<File>> nowhere = co_await disk.Open("d/a", OpenMode::kCreate);
    EXPECT_EQ(nowhere.error().code, Errc::kNotFound);
    EXPECT_TRUE(co_await disk.MakeFolder("d"));
    (void)co_await Create(disk, "d/b", "");
    (void)co_await Create(disk, "d/a", "");
    Result<std::vector<std::string>> names = co_await disk.List("d");
    EXPECT_EQ(names.value(), (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(co_await disk.MakeFolder("d/e"));
    names = co_await disk.ListFolders("d");
    EXPECT_EQ(names.value(), std::vector<std::string>{"e"});
    Result<std::unique_ptr<File>> again = co_await disk.Open("d/a", OpenMode::kCreateNew);
    EXPECT_EQ(again.error().code, Errc::kExists);
    EXPECT_TRUE(co_await disk.Remove("d/a"));
    EXPECT_EQ(co_await ContentAt(disk, "d/a"), "not found");
    Result<void> missing = co_await disk.Remove("d/a");
    EXPECT_EQ(missing.error().code, Errc::kNotFound);
  });
}

}  // namespace
}  // namespace meridian::io::sim
