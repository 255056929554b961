#include "io/file/system_disk.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/scratch_dir.hpp"
#include "io/epoll.hpp"

namespace meridian::io {
namespace {

class SystemDiskTest : public testing::Test {
 protected:
  std::string At(const std::string& name) const { return folder_ + "/" + name; }
  void Run(std::function<Task<void>()> use) { loop_.RunToEnd(use()); }
  Task<std::unique_ptr<File>> Open(std::string name, OpenMode mode = OpenMode::kCreate) {
    auto file = co_await disk_.Open(At(name), mode);
    CHECK(file);
    co_return std::move(*file);
  }
  static Task<std::string> Read(File& file, uint64_t offset, size_t most) {
    std::string text(most, '?');
    Result<size_t> got =
        co_await file.ReadAt(offset, {reinterpret_cast<uint8_t*>(text.data()), most});
    CHECK(got);
    co_return text.substr(0, *got);
  }

  ScratchDir scratch_;
  std::string folder_ = scratch_.path();
  EpollDriver driver_;
  Loop loop_{driver_};
  BlockingPool pool_;
  SystemDisk disk_{pool_};
};

TEST_F(SystemDiskTest, WrittenDataIsReadWithZerosInTheGap) {
  Run([&]() -> Task<void> {
    auto file = co_await Open("log");
    EXPECT_TRUE(co_await file->WriteAt(0, AsBytes("ab")));
    EXPECT_TRUE(co_await file->WriteAt(4, AsBytes("ef")));
    EXPECT_TRUE(co_await file->Sync());
    EXPECT_EQ(co_await Read(*file, 0, 100), std::string("ab\0\0ef", 6));
    EXPECT_EQ(co_await Read(*file, 5, 1), "f");
    EXPECT_EQ(co_await Read(*file, 6, 1), "");
  });
}

TEST_F(SystemDiskTest, WriteAndSyncWritesAtItsOffset) {
  Run([&]() -> Task<void> {
    auto file = co_await Open("log");
    EXPECT_TRUE(co_await file->WriteAndSync(0, AsBytes("ab")));
    EXPECT_TRUE(co_await file->WriteAndSync(2, AsBytes("cd")));
    EXPECT_EQ(co_await Read(*file, 0, 100), "abcd");
  });
}

TEST_F(SystemDiskTest, WriteAndSyncOfAFileThatWasOpenedToBeReadFails) {
  Run([&]() -> Task<void> {
    (void)co_await Open("log");
    auto file = co_await Open("log", OpenMode::kRead);
    EXPECT_FALSE(co_await file->WriteAndSync(0, AsBytes("ab")));
    EXPECT_EQ(co_await Read(*file, 0, 100), "");
  });
}

TEST_F(SystemDiskTest, FreeBytesAreThoseOfTheFoldersFileSystem) {
  Run([&]() -> Task<void> {
    auto free = co_await disk_.FreeBytes(folder_);
    EXPECT_TRUE(free);
    EXPECT_GT(*free, 0U);
    EXPECT_EQ((co_await disk_.FreeBytes(At("none"))).error().code, Errc::kNotFound);
  });
}

TEST_F(SystemDiskTest, TruncateCutsOffAndExtends) {
  Run([&]() -> Task<void> {
    auto file = co_await Open("log");
    EXPECT_TRUE(co_await file->WriteAt(0, AsBytes("abcd")));
    EXPECT_TRUE(co_await file->Truncate(2));
    EXPECT_TRUE(co_await file->Truncate(3));
    Result<uint64_t> size = co_await file->Size();
    EXPECT_EQ(size.value(), 3U);
    EXPECT_EQ(co_await Read(*file, 0, 9), std::string("ab\0", 3));
  });
}

TEST_F(SystemDiskTest, ModesSayWhetherAFileMustBeThere) {
  Run([&]() -> Task<void> {
    for (OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
      auto missing = co_await disk_.Open(At("log"), mode);
      EXPECT_EQ(missing.error().code, Errc::kNotFound);
    }
    (void)co_await Open("log", OpenMode::kCreateNew);
    auto again = co_await disk_.Open(At("log"), OpenMode::kCreateNew);
    EXPECT_EQ(again.error().code, Errc::kExists);
    auto file = co_await Open("log", OpenMode::kRead);
    EXPECT_FALSE(co_await file->WriteAt(0, AsBytes("x")));
  });
}

TEST_F(SystemDiskTest, NamesAreListedRenamedAndRemoved) {
  Run([&]() -> Task<void> {
    EXPECT_TRUE(co_await disk_.MakeFolder(At("folder")));
    EXPECT_TRUE(co_await disk_.MakeFolder(At("folder")));
    for (const char* name : {"b", "a", "c"}) (void)co_await Open(name);
    EXPECT_TRUE(co_await disk_.Rename(At("c"), At("a")));
    EXPECT_TRUE(co_await disk_.Remove(At("b")));
    EXPECT_TRUE(co_await disk_.SyncFolder(folder_));
    Result<std::vector<std::string>> names = co_await disk_.List(folder_);
    EXPECT_EQ(names.value(), std::vector<std::string>{"a"});
    names = co_await disk_.ListFolders(folder_);
    EXPECT_EQ(names.value(), std::vector<std::string>{"folder"});
  });
}

TEST_F(SystemDiskTest, SizesAreListedAndAnEmptyFolderIsRemoved) {
  Run([&]() -> Task<void> {
    EXPECT_TRUE(co_await disk_.MakeFolder(At("folder")));
    for (const char* name : {"folder/b", "folder/a"}) {
      auto file = co_await Open(name);
      EXPECT_TRUE(co_await file->WriteAt(0, AsBytes(name)));
    }
    auto sizes = co_await disk_.ListSizes(At("folder"));
    EXPECT_EQ(sizes.value(), (std::vector<ListedFile>{{"a", 8}, {"b", 8}}));
    EXPECT_FALSE(co_await disk_.RemoveFolder(At("folder")));
    for (const char* name : {"folder/b", "folder/a"}) {
      EXPECT_TRUE(co_await disk_.Remove(At(name)));
    }
    EXPECT_TRUE(co_await disk_.RemoveFolder(At("folder")));
    EXPECT_EQ((co_await disk_.ListSizes(At("folder"))).error().code, Errc::kNotFound);
    EXPECT_EQ((co_await disk_.RemoveFolder(At("folder"))).error().code, Errc::kNotFound);
  });
}

TEST_F(SystemDiskTest, SeveralFilesAreWrittenAndSyncedInOneCall) {
  Run([&]() -> Task<void> {
    auto a = co_await Open("a");
    auto b = co_await Open("b");
    std::string many(200, 'm');
    std::vector<FileWrite> writes = {{a.get(), 0, AsBytes("ab")},
                                     {b.get(), 1, AsBytes("cd")},
                                     {a.get(), 2, AsBytes("ef")},
                                     {a.get(), 4, {}},
                                     {a.get(), 4, AsBytes("gh")}};
    // More adjoining writes than one call gathers.
    for (size_t i = 0; i < many.size(); ++i) {
      writes.push_back({b.get(), 3 + i, AsBytes(many).subspan(i, 1)});
    }
    EXPECT_TRUE(co_await disk_.WriteFiles(writes));
    EXPECT_TRUE(co_await disk_.SyncFiles(std::vector{a.get(), b.get()}, std::vector{folder_}));
    EXPECT_EQ(co_await Read(*a, 0, 100), "abefgh");
    EXPECT_EQ(co_await Read(*b, 1, 300), "cd" + many);
  });
}

TEST_F(SystemDiskTest, WritesOfSeveralFilesEndAtTheFirstError) {
  Run([&]() -> Task<void> {
    auto full = co_await disk_.Open("/dev/full", OpenMode::kWrite);
    CHECK(full);
    auto a = co_await Open("a");
    std::vector<FileWrite> writes = {{full->get(), 0, AsBytes("x")}, {a.get(), 0, AsBytes("y")}};
    EXPECT_EQ((co_await disk_.WriteFiles(writes)).error().code, Errc::kUnavailable);
    EXPECT_EQ(co_await Read(*a, 0, 9), "");
    auto synced = co_await disk_.SyncFiles({}, std::vector{At("none")});
    EXPECT_EQ(synced.error().code, Errc::kIo);
  });
}

// As where a mount point for it is in an image that cannot be written to.
TEST_F(SystemDiskTest, FolderThatIsThereIsNoErrorWhereItsParentCannotBeSynced) {
  Run([&]() -> Task<void> {
    Result<void> synced = co_await disk_.SyncFolder("/proc");
    EXPECT_EQ(synced.error().code, Errc::kInvalid);
    EXPECT_TRUE(co_await disk_.MakeFolder("/proc/sys"));
    EXPECT_TRUE(co_await disk_.MakeFolder(At("folder/")));
  });
}

TEST_F(SystemDiskTest, MissingFilesAreNotFound) {
  Run([&]() -> Task<void> {
    Result<void> renamed = co_await disk_.Rename(At("x"), At("y"));
    EXPECT_EQ(renamed.error().code, Errc::kNotFound);
    Result<void> removed = co_await disk_.Remove(At("x"));
    EXPECT_EQ(removed.error().code, Errc::kNotFound);
    Result<void> made = co_await disk_.MakeFolder(At("x/y"));
    EXPECT_EQ(made.error().code, Errc::kNotFound);
    Result<std::vector<std::string>> listed = co_await disk_.List(At("x"));
    EXPECT_EQ(listed.error().code, Errc::kNotFound);
    Result<void> synced = co_await disk_.SyncFolder(At("x"));
    EXPECT_EQ(synced.error().code, Errc::kNotFound);
  });
}

TEST_F(SystemDiskTest, FullDiskIsUnavailable) {
  Run([&]() -> Task<void> {
    auto full = co_await disk_.Open("/dev/full", OpenMode::kWrite);
    CHECK(full);
    Result<void> written = co_await (*full)->WriteAt(0, AsBytes("x"));
    EXPECT_EQ(written.error().code, Errc::kUnavailable);
  });
}

TEST_F(SystemDiskTest, CancelledFiberBeginsNothing) {
  Errc code = Errc::kIo;
  Run([&]() -> Task<void> {
    Scope scope(loop_);
    auto open = [&]() -> Task<void> {
      auto file = co_await disk_.Open(At("log"), OpenMode::kCreate);
      code = file ? Errc::kIo : file.error().code;
    };
    scope.Cancel();
    scope.Spawn(open());
    co_await scope.Join();
  });
  EXPECT_EQ(code, Errc::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(At("log")));
}

}  // namespace
}  // namespace meridian::io
