#include "agent/engines/engine_reload.hpp"

#include <string>

#include <gtest/gtest.h>

namespace meridian::agent {
namespace {

std::string Metrics(const std::string& successful, const std::string& time) {
  return "# TYPE prometheus_config_last_reload_successful gauge\n"
         "prometheus_config_last_reload_success_timestamp_seconds " +
         time + "\nprometheus_config_last_reload_successful " + successful + "\nup 1\n";
}

TEST(ReadReload, IsDoneOnceTheLastSuccessIsLaterThanTheOrder) {
  EXPECT_EQ(ReadReload("prometheus", Metrics("1", "1.7e+09"), 1.7e9 + 1), ReloadState::kBefore);
  EXPECT_EQ(ReadReload("prometheus", Metrics("1", "1.700000002e+09"), 1.7e9 + 1),
            ReloadState::kDone);
}

TEST(ReadReload, IsRefusedWhileTheLastAttemptFailed) {
  EXPECT_EQ(ReadReload("prometheus", Metrics("0", "1.7e+09"), 1.7e9 + 1), ReloadState::kRefused);
  EXPECT_EQ(ReadReload("prometheus", Metrics("0", "1.700000002e+09"), 1.7e9 + 1),
            ReloadState::kRefused);
}

TEST(ReadReload, IsPendingWhereNothingCanBeRead) {
  for (const std::string& text : {std::string(), std::string("up 1\n"), std::string("<html>"),
                                  Metrics("1", ""), Metrics("NaN", "1.8e+09")}) {
    EXPECT_EQ(ReadReload("prometheus", text, 1.7e9), ReloadState::kPending) << text;
  }
  EXPECT_EQ(ReadReload("alertmanager", Metrics("1", "1.8e+09"), 1.7e9), ReloadState::kPending);
}

}  // namespace
}  // namespace meridian::agent
