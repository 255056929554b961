#include "site/state_dir.hpp"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scratch_dir.hpp"

namespace meridian::site {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

mode_t ModeOf(const fs::path& path) {
  struct stat facts{};
  EXPECT_EQ(stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777;
}

std::vector<std::string> FilesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

TEST(StateDir, IsMadeForItsUserOnly) {
  ScratchDir scratch;
  mode_t before = umask(0);
  Result<StateDir> state = StateDir::Create(scratch / "state/");
  ASSERT_TRUE(state) << state.error().message;
  ASSERT_TRUE(state->EnsureToken());
  umask(before);
  EXPECT_EQ(state->root(), scratch / "state");
  for (const fs::path& folder : {state->root(), state->ca(), state->logs(), state->pids()}) {
    EXPECT_EQ(ModeOf(folder), 0700u) << folder;
  }
  EXPECT_EQ(ModeOf(state->admin_token()), 0600u);
}

TEST(StateDir, AnExistingOneIsTakenAndKept) {
  ScratchDir scratch;
  ASSERT_TRUE(StateDir::Create(scratch / "state"));
  std::ofstream(scratch / "state/logs/a") << "kept";
  EXPECT_TRUE(StateDir::Create(scratch / "state"));
  EXPECT_TRUE(StateDir::Open(scratch / "state"));
  EXPECT_TRUE(fs::exists(scratch / "state/logs/a"));
}

TEST(StateDir, OneThatOthersMayEnterIsRefusedAndNotChanged) {
  ScratchDir scratch;
  fs::create_directory(scratch / "state");
  ASSERT_EQ(chmod((scratch / "state").c_str(), 0750), 0);
  Result<StateDir> state = StateDir::Create(scratch / "state");
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().code, Errc::kPermission);
  EXPECT_THAT(state.error().message, HasSubstr("chmod 700 "));
  EXPECT_EQ(ModeOf(scratch / "state"), 0750u);
  EXPECT_TRUE(FilesIn(scratch / "state").empty());
  EXPECT_EQ(StateDir::Open(scratch / "state").error().code, Errc::kPermission);
}

TEST(StateDir, WhatCannotBeOneSaysWhy) {
  ScratchDir scratch;
  std::ofstream(scratch / "file") << "x";
  EXPECT_THAT(StateDir::Create(scratch / "file").error().message, HasSubstr("is not a folder"));
  EXPECT_EQ(StateDir::Create(scratch / "no/parent").error().code, Errc::kNotFound);
  EXPECT_EQ(StateDir::Open(scratch / "absent").error().code, Errc::kNotFound);
  EXPECT_EQ(StateDir::Open(scratch / "file").error().code, Errc::kNotFound);
}

TEST(StateDir, PathUpToWhatAUnixSocketTakesAndNotOneByteMore) {
  ScratchDir scratch;
  size_t room = sizeof(sockaddr_un::sun_path) - 1 - std::string_view("/lab.sock").size();
  std::string name(room - scratch.path().native().size() - 1, 'x');
  EXPECT_TRUE(StateDir::Create(scratch / name.c_str()));
  Result<StateDir> longer = StateDir::Create(scratch / (name + "x").c_str());
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code, Errc::kTooLarge);
  EXPECT_FALSE(fs::exists(scratch / (name + "x").c_str()));
}

TEST(StateDir, TokenIsMadeOnceAndIsTheSameForAll) {
  ScratchDir scratch;
  StateDir state = StateDir::Create(scratch / "state").value();
  EXPECT_EQ(state.ReadToken().error().code, Errc::kNotFound);
  std::vector<std::string> tokens(8);
  {
    std::vector<std::jthread> starters;
    for (std::string& token : tokens) {
      starters.emplace_back([&] { token = state.EnsureToken().value().Reveal(); });
    }
  }
  EXPECT_EQ(tokens[0].size(), 64u);
  EXPECT_EQ(tokens, std::vector<std::string>(8, tokens[0]));
  EXPECT_EQ(state.ReadToken()->Reveal(), tokens[0]);
  StateDir other = StateDir::Create(scratch / "other").value();
  EXPECT_NE(other.EnsureToken()->Reveal(), tokens[0]);
}

TEST(StateDir, DamagedTokenIsRefusedNotReplaced) {
  ScratchDir scratch;
  StateDir state = StateDir::Create(scratch / "state").value();
  for (const std::string& text : {std::string(), std::string("abc"), std::string(64, 'G'),
                                  std::string(63, 'a'), std::string(65, 'a')}) {
    std::ofstream(state.admin_token()) << text;
    EXPECT_FALSE(state.ReadToken()) << text;
    EXPECT_FALSE(state.EnsureToken()) << text;
  }
  std::ofstream(state.admin_token()) << std::string(64, 'a');
  EXPECT_EQ(state.EnsureToken()->Reveal(), std::string(64, 'a'));
}

TEST(StateDir, SecondLockSaysWhoHoldsTheFirst) {
  ScratchDir scratch;
  StateDir state = StateDir::Create(scratch / "state").value();
  EXPECT_EQ(io::FileLock::Holder(state.lock()), 0);
  {
    Result<io::FileLock> first = state.Lock();
    ASSERT_TRUE(first);
    Result<io::FileLock> second = state.Lock();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::kExists);
    EXPECT_EQ(second.error().message,
              fmt::format("{} is held by process {}", state.root().native(), getpid()));
    EXPECT_EQ(io::FileLock::Holder(state.lock()), getpid());
    io::FileLock moved = std::move(*first);
    EXPECT_FALSE(state.Lock());
  }
  EXPECT_EQ(io::FileLock::Holder(state.lock()), 0);
  EXPECT_TRUE(state.Lock());
}

TEST(StateDir, LockOfAKilledProcessIsFreeAgain) {
  ScratchDir scratch;
  StateDir state = StateDir::Create(scratch / "state").value();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    Result<io::FileLock> lock = state.Lock();
    char byte = lock ? '1' : '0';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    pause();
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, '1');
  EXPECT_EQ(io::FileLock::Holder(state.lock()), child);
  EXPECT_FALSE(state.Lock());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(io::FileLock::Holder(state.lock()), 0);
  EXPECT_TRUE(state.Lock());
  close(ready[0]);
  close(ready[1]);
}

TEST(FileLock, WaitsNoLongerThanItsTimeout) {
  ScratchDir scratch;
  Result<io::FileLock> first = io::FileLock::TryAcquire(scratch / "lock", "it");
  ASSERT_TRUE(first);
  Result<io::FileLock> second =
      io::FileLock::Acquire(scratch / "lock", "it", std::chrono::milliseconds{30});
  EXPECT_EQ(second.error().code, Errc::kExists);
}

TEST(WriteFileAtomically, LeavesNothingBesideTheFile) {
  ScratchDir scratch;
  ASSERT_TRUE(io::WriteFileAtomically(scratch / "f", "one", 0600));
  ASSERT_TRUE(io::WriteFileAtomically(scratch / "f", "two", 0600));
  EXPECT_EQ(io::ReadFile(scratch / "f", 3).value(), "two");
  EXPECT_EQ(io::ReadFile(scratch / "f", 2).error().code, Errc::kTooLarge);
  EXPECT_THAT(FilesIn(scratch.path()), testing::ElementsAre("f"));
  EXPECT_EQ(ModeOf(scratch / "f"), 0600u);
}

TEST(WriteFileAtomically, FailsWithoutHarmWhereItCannotWrite) {
  ScratchDir scratch;
  EXPECT_EQ(io::WriteFileAtomically(scratch / "no/f", "x", 0600).error().code, Errc::kNotFound);
  fs::create_directory(scratch / "folder");
  EXPECT_FALSE(io::WriteFileAtomically(scratch / "folder", "x", 0600));
  EXPECT_TRUE(fs::is_directory(scratch / "folder"));
}

}  // namespace
}  // namespace meridian::site
