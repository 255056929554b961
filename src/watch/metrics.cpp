#include "watch/metrics.hpp"

#include <cstdint>

#include "base/metrics.hpp"
#include "watch/log/log_store.hpp"
#include "watch/own_lines/own_lines.hpp"

namespace meridian::watch {

WatchMetrics::WatchMetrics(Metrics& metrics)
    : entries_(metrics.AddCounter("meridian_watch_entries_total", "Entries that the store took.")),
      refused_(metrics.AddCounter("meridian_watch_refused_entries_total",
                                  "Entries that the store refused: its disk was too slow.")),
      lost_(metrics.AddCounter("meridian_watch_lost_entries_total",
                               "Entries that the store took and its disk did not.")),
      removed_by_quota_(metrics.AddCounter("meridian_watch_removed_segments_total",
                                           "Segments of the log that were removed.",
                                           {{"reason", "quota"}})),
      removed_for_room_(metrics.AddCounter("meridian_watch_removed_segments_total",
                                           "Segments of the log that were removed.",
                                           {{"reason", "full_disk"}})),
      store_bytes_(
          metrics.AddGauge("meridian_watch_store_bytes", "Bytes of all files of the store.")),
      waiting_bytes_(metrics.AddGauge("meridian_watch_waiting_bytes",
                                      "Bytes of entries that wait for the disk.")),
      segments_(metrics.AddGauge("meridian_watch_segments", "Closed segments of the log.")),
      output_bytes_(metrics.AddCounter("meridian_watch_output_bytes_total",
                                       "Bytes of output that the agent handed over.")),
      sources_(metrics.AddGauge("meridian_watch_sources",
                                "Processes whose output the agent hands over.")),
      own_bytes_(metrics.AddCounter("meridian_watch_own_bytes_total",
                                    "Bytes that were read of the logs of Meridian's processes.")),
      own_unread_bytes_(metrics.AddGauge("meridian_watch_own_unread_bytes",
                                         "Bytes of these logs that are still to be read.")),
      own_gaps_(metrics.AddCounter("meridian_watch_own_gaps_total",
                                   "Files of these logs that were gone before they were read.")),
      quota_lines_(metrics.AddCounter("meridian_watch_dropped_lines_total",
                                      "Lines of output that were dropped.", {{"by", "quota"}})),
      quota_bytes_(metrics.AddCounter("meridian_watch_dropped_bytes_total",
                                      "Bytes of output that were dropped.", {{"by", "quota"}})),
      agent_lines_(metrics.AddCounter("meridian_watch_dropped_lines_total",
                                      "Lines of output that were dropped.", {{"by", "agent"}})),
      agent_bytes_(metrics.AddCounter("meridian_watch_dropped_bytes_total",
                                      "Bytes of output that were dropped.", {{"by", "agent"}})),
      searches_(metrics.AddCounter("meridian_watch_searches_total", "Requests for pages.",
                                   {{"result", "answered"}})),
      refused_searches_(metrics.AddCounter("meridian_watch_searches_total", "Requests for pages.",
                                           {{"result", "refused"}})),
      failed_searches_(metrics.AddCounter("meridian_watch_searches_total", "Requests for pages.",
                                          {{"result", "failed"}})),
      unauthorized_(metrics.AddCounter("meridian_watch_unauthorized_total",
                                       "Requests without the password.")) {}

void WatchMetrics::RaiseTo(Counter& counter, uint64_t count) {
  if (count > counter.value()) counter.Add(count - counter.value());
}

void WatchMetrics::Update(const LogStoreStatus& store, const OutputCounts& output,
                          const OwnLineCounts& own) {
  RaiseTo(entries_, store.entries);
  RaiseTo(refused_, store.refused);
  RaiseTo(lost_, store.lost);
  RaiseTo(removed_by_quota_, store.removed_segments);
  RaiseTo(removed_for_room_, store.removed_for_room);
  store_bytes_.Set(static_cast<double>(store.bytes));
  waiting_bytes_.Set(static_cast<double>(store.waiting_bytes));
  segments_.Set(static_cast<double>(store.segments));
  RaiseTo(output_bytes_, output.bytes);
  sources_.Set(static_cast<double>(output.sources));
  RaiseTo(own_bytes_, own.bytes);
  own_unread_bytes_.Set(static_cast<double>(own.unread_bytes));
  RaiseTo(own_gaps_, own.gaps);
  RaiseTo(quota_lines_, output.dropped_lines + own.dropped_lines);
  RaiseTo(quota_bytes_, output.dropped_bytes + own.dropped_bytes);
  RaiseTo(agent_lines_, output.agent_dropped_lines);
  RaiseTo(agent_bytes_, output.agent_dropped_bytes);
}

}  // namespace meridian::watch
