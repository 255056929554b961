#include "dns/published.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace meridian::dns {
namespace {

std::unique_ptr<const int> Version(int number) { return std::make_unique<const int>(number); }

TEST(Published, ReaderSeesTheNewest) {
  Published<int> published(1, Version(1));
  EXPECT_EQ(*published.Acquire(0), 1);
  published.Publish(Version(2));
  EXPECT_EQ(*published.Acquire(0), 2);
}

TEST(Published, PinnedVersionStaysUntilItIsLetGo) {
  Published<int> published(2, Version(1));
  {
    auto old = published.Acquire(0);
    published.Publish(Version(2));
    published.Publish(Version(3));
    EXPECT_EQ(*old, 1);
    EXPECT_EQ(*published.Acquire(1), 3);
    EXPECT_EQ(published.versions(), 2U);
  }
  published.Publish(Version(4));
  EXPECT_EQ(published.versions(), 1U);
}

// Two numbers that are always equal, except in a freed version.
struct Twins {
  explicit Twins(int number) : first(number), second(number) {}
  Twins(const Twins&) = delete;
  Twins& operator=(const Twins&) = delete;
  ~Twins() { first = -1; }
  int first;
  int second;
};

TEST(Published, ReadersOnManyThreadsSeeWholeVersionsInOrder) {
  constexpr int kLast = 20000;
  Published<Twins> published(2, std::make_unique<const Twins>(0));
  std::atomic<bool> consistent = true;
  auto read = [&](size_t reader) {
    int seen = 0;
    while (seen < kLast) {
      auto pin = published.Acquire(reader);
      if (pin->first != pin->second || pin->first < seen) consistent = false;
      seen = pin->second;
    }
  };
  {
    std::jthread a(read, 0);
    std::jthread b(read, 1);
    for (int i = 1; i <= kLast; ++i) {
      published.Publish(std::make_unique<const Twins>(i));
      // The newest, and two for each reader, which may pin another version while the maker checks.
      if (published.versions() > 5) consistent = false;
    }
  }
  EXPECT_TRUE(consistent);
}

}  // namespace
}  // namespace meridian::dns
