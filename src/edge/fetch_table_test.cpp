// The table of fetches with real threads; run it under the thread sanitizer.
#include <barrier>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "edge/cache/cache_key.hpp"
#include "edge/cache/message_fixture.hpp"
#include "edge/fetch/coalesced_fetch.hpp"
#include "io/epoll.hpp"
#include "io/loop.hpp"

namespace meridian::edge {
namespace {

TEST(FetchTable, AFetchThatStopsBeingSharedIsForbiddenByAnUnsafeRequestOfAnotherLoop) {
  constexpr size_t kRounds = 5000;
  io::EpollDriver driver;
  io::Loop home(driver);
  FetchTable table(true);
  const wire::http::RequestHead head = Get("/a");
  const KeyView key = *MakeKey(head, false, "", 42);
  const std::string slot = FetchSlot(KeyText(key), "", "");
  std::vector<std::shared_ptr<CoalescedFetch>> fetches;
  for (size_t i = 0; i < kRounds; ++i) {
    fetches.push_back(std::make_shared<CoalescedFetch>(key, slot, 1, home, true));
  }
  std::barrier<> both(2);
  std::thread unsafe([&] {
    for (size_t i = 0; i < kRounds; ++i) {
      both.arrive_and_wait();
      table.Forbid(key);
      both.arrive_and_wait();
    }
  });
  size_t missed = 0;
  for (size_t i = 0; i < kRounds; ++i) {
    table.Add(fetches[i]);
    both.arrive_and_wait();
    table.Move(fetches[i], UnsharedFetchSlot(KeyText(key), i));
    both.arrive_and_wait();
    if (!fetches[i]->forbidden) ++missed;
    table.Remove(*fetches[i]);
  }
  unsafe.join();
  EXPECT_EQ(missed, 0U);
}

}  // namespace
}  // namespace meridian::edge
