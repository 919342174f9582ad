/* The query language of Logs Insights: queries over a few events, and what they tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "lang/insights.h"

enum { BYTES = 4 << 20 };

/* 2023-11-14 22:13:20.000 */
#define T0 1700000000000

#define UUID "11111111-2222-3333-4444-555555555555"

static const struct insights_event json_events[] = {
    {T0, T0 + 5,
     STR_INIT("{\"level\":\"INFO\",\"ms\":10,\"user\":{\"name\":\"ann\",\"tags\":[\"x\",\"y\"]},"
              "\"ip\":\"10.0.3.4\"}"),
     STR_INIT("s1"), STR_INIT("g"), STR_INIT("000000000000"), STR_INIT("us-east-1"),
     STR_INIT("r0")},
    {T0 + 1000, T0 + 1005,
     STR_INIT("{\"level\":\"ERROR\",\"ms\":20.5,\"user\":{\"name\":\"bob\"},\"ok\":true,\"ip\":\"::"
              "1\"}"),
     STR_INIT("s2"), STR_INIT("g"), STR_INIT("000000000000"), STR_INIT("us-east-1"),
     STR_INIT("r1")},
    {T0 + 60000, T0 + 60005,
     STR_INIT(
         "{\"level\":\"ERROR\",\"ms\":30,\"user\":{\"name\":\"ann\"},\"ok\":false,\"none\":null}"),
     STR_INIT("s1"), STR_INIT("g"), STR_INIT("000000000000"), STR_INIT("us-east-1"),
     STR_INIT("r2")},
    {T0 + 120000, T0 + 120005,
     STR_INIT("{\"level\":\"INFO\",\"ms\":\"x\",\"a.b\":\"dotted\",\"odd-name\":\"d\"}"),
     STR_INIT("s1"), STR_INIT("g"), STR_INIT("000000000000"), STR_INIT("us-east-1"),
     STR_INIT("r3")},
};

static const struct insights_event text_events[] = {
    {T0, T0, STR_INIT("START RequestId: " UUID " Version: $LATEST\n"), STR_INIT("s"),
     STR_INIT("/aws/lambda/f"), STR_INIT("000000000000"), STR_INIT("us-east-1"), STR_INIT("r0")},
    {T0 + 1, T0,
     STR_INIT("2023-11-14T22:13:20.001Z\t" UUID "\tINFO\tuser=ann, method:GET, latency := 7\n"),
     STR_INIT("s"), STR_INIT("/aws/lambda/f"), STR_INIT("000000000000"), STR_INIT("us-east-1"),
     STR_INIT("r1")},
    {T0 + 2, T0, STR_INIT("user=bob, method:PUT, latency := 12\n"), STR_INIT("s"),
     STR_INIT("/aws/lambda/f"), STR_INIT("000000000000"), STR_INIT("us-east-1"), STR_INIT("r2")},
    {T0 + 3, T0,
     STR_INIT("REPORT RequestId: " UUID
              "\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: "
              "60 MB\tInit Duration: 100.5 ms\t\n"),
     STR_INIT("s"), STR_INIT("/aws/lambda/f"), STR_INIT("000000000000"), STR_INIT("us-east-1"),
     STR_INIT("r3")},
    {T0 + 4, T0, STR_INIT("text, then {\"deep\": {\"er\": 5}}"), STR_INIT("s"),
     STR_INIT("/aws/lambda/f"), STR_INIT("000000000000"), STR_INIT("us-east-1"), STR_INIT("r4")},
};

static const struct insights_event list_events[] = {
    {T0, T0,
     STR_INIT(
         "{\"@id\":7,\"events\":[{\"name\":\"exception\",\"n\":[1,2]},{\"name\":\"user action\"}],"
         "\"empty\":[],\"one\":{\"a.b\":{\"c\":\"deep\"}},\"text\":\"[4, {\\\"k\\\": "
         "\\\"v\\\"}]\"}"),
     STR_INIT("s"), STR_INIT("g"), STR_INIT("000000000000"), STR_INIT("us-east-1"), STR_INIT("r0")},
    {T0 + 1, T0, STR_INIT("no JSON"), STR_INIT("s"), STR_INIT("g"), STR_INIT("000000000000"),
     STR_INIT("us-east-1"), STR_INIT("r1")},
};

enum { JSONS, TEXTS, LISTS };

#define ORDER                                                                                      \
    "filter ispresent(events) | fields jsonParse('[\"01\",\"1\",\"A\",\"3\",\"#\",\"*%04\",\"0\"," \
    "\"a12345hfh\",\"5A\",\"@\",\"2345_\",\"!:\",\"A9876fghj\",\"111A\",\"2\",\"0#\",\"@_\"]') "   \
    "as l | "                                                                                      \
    "unnest l into v | "
#define PARSED "fields jsonParse(@message) as j | "

static const struct row {
    const char *query;
    int of; /* which events */
    const char *want;
} rows[] = {
    /* structures */
    {PARSED "display j.one", LISTS, "|j.one={\"a.b\":{\"c\":\"deep\"}}"},
    {PARSED "display j.one.a.b.c as c, j.events.1.name as d, j.absent as e, j.one.a.x as f", LISTS,
     "|c=deep d=user action"},
    {PARSED "display j.events[0].name, j.one.`a.b`.c as x, j.events[9] as y, j.one[0] as z", LISTS,
     "|j.events[0].name=exception x=deep"},
    {PARSED "display j.events[0].n[1] as x, `j`.events[0].n.0 as y", LISTS, "|x=2 y=1"},
    {PARSED "filter j.events[1].name = 'user action' | display j.one.a.b", LISTS,
     "j.one.a.b={\"c\":\"deep\"}"},
    {"fields jsonParse(text) as t | display t[0], t[1].k, jsonStringify(t) as s", LISTS,
     "|t[0]=4 t[1].k=v s=[4,{\"k\":\"v\"}]"},
    {"fields jsonParse('[1') as a, jsonParse('5') as b, jsonParse('\"x\"') as c, jsonParse(' {} ') "
     "as d, jsonParse(absent) as e, jsonStringify('x') as f | limit 1",
     JSONS, "d={}"},
    /* to all but a few functions they are absent */
    {PARSED
     "display toupper(j) as a, strlen(j) as b, j + 1 as c, isempty(j) as d, ispresent(j) as e, "
     "ispresent(j.x) as f, greatest(j, 3) as g, coalesce(j.one, 1) as h, not j as i | limit 2",
     LISTS, "d=1 e=0 f=0 g=3 h=1 i=1|d=1 e=1 f=0 g=3 h={\"a.b\":{\"c\":\"deep\"}} i=1"},
    {PARSED
     "filter ispresent(j) | display j = j as a, j != 1 as b, j < 'x' as c, j in [1] as d, j like "
     "'x' as e, j like /x/ as f",
     LISTS, "a=0 b=0 c=0 d=0 e=0 f=0"},
    {PARSED "stats count(j) as a, count_distinct(j) as b, max(j) as c, count(j.one.a.b.c) as d",
     LISTS, "a=0 b=0 d=1"},
    {PARSED "stats count(*) as n by j.events[0].name as k", LISTS, "n=1|k=exception n=1"},
    {PARSED "display j.events[0].name as a | sort j desc, @timestamp asc | dedup j", LISTS,
     "a=exception|"},
    {PARSED "sort @timestamp asc | display j.events[1].name as a | limit 1", LISTS,
     "a=user action"},
    {PARSED "parse j.events[0].name 'ex*n' as x | display x", LISTS, "|x=ceptio"},
    {PARSED "parse j '*' as x | display x", LISTS, "|"},
    /* a field that is none is the event's */
    {"fields user | display user.name | sort @timestamp asc", JSONS,
     "user.name=ann|user.name=bob|user.name=ann|"},
    {"fields user, `user`.name as n | display n | sort @timestamp asc | limit 1", JSONS, "n=ann"},
    {"display a.b, a.`b` as c, `odd-name` | limit 1", JSONS, "a.b=dotted c=dotted odd-name=d"},
    {"display @@id, @id, @nothing", LISTS, "|@@id=7"},
    /* unnest */
    {PARSED "unnest j.events into event | display event.name", LISTS,
     "|event.name=exception|event.name=user action"},
    {PARSED "unnest j.events into event | filter event.name like /user/ | display event.name, "
            "@timestamp",
     LISTS, "event.name=user action @timestamp=2023-11-14 22:13:20.000"},
    {PARSED
     "unnest j.events into e | unnest e.n into n | stats sum(n) as s, count(*) as c by e.name",
     LISTS, "c=1|e.name=exception s=3 c=2|e.name=user action c=1"},
    {PARSED "unnest j.empty into x | display x", LISTS, ""},
    {PARSED "unnest j.one into x | unnest level into y | display x.`a.b`.c as c, y", LISTS,
     "|c=deep"},
    {PARSED "unnest j.events into j | display j.name", LISTS,
     "|j.name=exception|j.name=user action"},
    {PARSED "sort @timestamp asc | limit 1 | unnest j.events into e | limit 1 | display e.name",
     LISTS, "e.name=exception"},
    {"fields 1 as a | unnest a into b | fields a + b as a | display a, b | limit 1", JSONS,
     "a=2 b=1"},
    {"fields jsonParse('[1,2,3]') as l, 10 as a | unnest l into i | fields a + i as a | display a "
     "| "
     "limit 3",
     JSONS, "a=11|a=12|a=13"},
    /* SOURCE has no part in what is told of events; filterIndex is a filter */
    {"SOURCE logGroups() | fields ms | limit 1", JSONS, "ms=x"},
    {"source logGroups(namePrefix: ['a', 'b'], class: ['STANDARD']) | stats count(*)", JSONS,
     "count(*)=4"},
    {"filterIndex @logStream = 's2' | fields ms", JSONS, "ms=20.5"},
    {"filterIndex @logStream in ['s2', 's3'] | fields ms", JSONS, "ms=20.5"},
    /* the order of sort: the example of AWS's documentation, each way */
    {ORDER "sort v asc | display v", LISTS,
     "v=!:|v=#|v=*%04|v=0#|v=5A|v=111A|v=2345_|v=@|v=@_|v=A|v=A9876fghj|v=a12345hfh|v=0|v=01|v=1|v="
     "2|"
     "v=3"},
    {ORDER "sort v desc | limit 6 | display v", LISTS, "v=3|v=2|v=01|v=1|v=0|v=a12345hfh"},
    {ORDER "stats sortsFirst(v) as a, sortsLast(v) as b", LISTS, "a=!: b=3"},
    /* what is told, and in which order */
    {"", JSONS, "@timestamp=2023-11-14 22:15:20.000 @message=*"},
    {"fields level", JSONS, "level=INFO|level=ERROR|level=ERROR|level=INFO"},
    {"fields level | limit 1", JSONS, "level=INFO"},
    {"fields user.name as who, ms | sort ms asc", JSONS,
     "ms=x|who=ann ms=10|who=bob ms=20.5|who=ann ms=30"},
    {"fields ms | sort ms desc | limit 2", JSONS, "ms=30|ms=20.5"},
    {"fields level, ms | sort level, ms desc", JSONS,
     "level=ERROR ms=30|level=ERROR ms=20.5|level=INFO ms=10|level=INFO ms=x"},
    {"fields level, ms | display ms | limit 2", JSONS, "ms=x|ms=30"},
    {"fields @logStream, @log, @ingestionTime | sort @timestamp asc | limit 1", JSONS,
     "@logStream=s1 @log=000000000000:g @ingestionTime=2023-11-14 22:13:20.005"},
    {"fields @aws.region, @aws.account | limit 1", JSONS,
     "@aws.region=us-east-1 @aws.account=000000000000"},
    {"# a comment\nfields ms # another | limit 1\n| limit 1", JSONS, "ms=x"},
    {"| fields ms | limit 1", JSONS, "ms=x"},
    /* discovered fields */
    {"fields user.tags.1 as t | filter ispresent(t)", JSONS, "t=y"},
    {"fields user.tags as t | filter ispresent(t)", JSONS, "t=[\"x\",\"y\"]"},
    {"fields a.b, `odd-name` | limit 1", JSONS, "a.b=dotted odd-name=d"},
    {"fields ok | filter ispresent(ok) | sort @timestamp asc", JSONS, "ok=1|ok=0"},
    {"fields none, absent | filter level = 'INFO'", JSONS, "|"},
    {"filter @type = 'REPORT' | fields @requestId, @duration, @billedDuration, @memorySize, "
     "@maxMemoryUsed, @initDuration",
     TEXTS,
     "@requestId=" UUID " @duration=12.34 @billedDuration=13 @memorySize=128000000 "
     "@maxMemoryUsed=60000000 @initDuration=100.5"},
    {"filter ispresent(@requestId) | stats count(*)", TEXTS, "count(*)=3"},
    {"fields deep.er | filter ispresent(deep.er)", TEXTS, "deep.er=5"},
    /* filters */
    {"filter level = 'ERROR' | stats count(*)", JSONS, "count(*)=2"},
    {"filter level != 'ERROR' and ms > 5 | fields ms", JSONS, "ms=x|ms=10"},
    {"filter user.name != 'ann' | fields @timestamp", JSONS,
     "@timestamp=2023-11-14 22:15:20.000|@timestamp=2023-11-14 22:13:21.000"},
    {"filter not (level = 'ERROR') | stats count(*)", JSONS, "count(*)=2"},
    {"filter level in ['ERROR', 'WARN'] | stats count(*)", JSONS, "count(*)=2"},
    {"filter level not in ['ERROR', 'WARN'] | stats count(*)", JSONS, "count(*)=2"},
    {"filter ms in [10, 30] | fields ms", JSONS, "ms=30|ms=10"},
    {"filter @message like 'ERR' | stats count(*)", JSONS, "count(*)=2"},
    {"filter @message like /err/ | stats count(*)", JSONS, ""},
    {"filter @message like /(?i)err/ | stats count(*)", JSONS, "count(*)=2"},
    {"filter @message =~ /ann|bob/ | stats count(*)", JSONS, "count(*)=3"},
    {"filter @message not like /ann/ | stats count(*)", JSONS, "count(*)=2"},
    {"filter level = 'INFO' or ms = 30 | fields ms", JSONS, "ms=x|ms=30|ms=10"},
    {"filter ms >= 20.5 and ms <= 30 | fields ms", JSONS, "ms=30|ms=20.5"},
    {"filter @timestamp > 1700000060000 | fields ms", JSONS, "ms=x"},
    {"filter @message like /a\\/b/ | fields ms", JSONS, ""},
    /* parse */
    {"parse @message 'user=*, method:*, latency := *' as @user, @method, @latency | filter "
     "ispresent(@user) | fields @user, @method, @latency + 1 as l",
     TEXTS, "@user=bob @method=PUT @latency=12 l=13|@user=ann @method=GET @latency=7 l=8"},
    {"parse @message /user=(?<u>.*?), method:(?<m>.*?),/ | filter m = 'PUT' | display u, m", TEXTS,
     "u=bob m=PUT"},
    {"parse @message /user=(.*?), method:(.*?),/ as u, m | stats count(*) as n by m", TEXTS,
     "n=3|m=GET n=1|m=PUT n=1"},
    {"parse 'user=*,' as u | filter u like /./ | display u", TEXTS, "u=bob|u=ann"},
    {"parse level '*R' as first | filter ispresent(first) | display first | limit 1", JSONS,
     "first=E"},
    {"fields concat(level, '-', ms) as x | parse x '*-*' as a, b | display b, a | limit 1", JSONS,
     "b=x a=INFO"},
    /* stats */
    {"stats count(*), count(ms) as n, sum(ms), avg(ms), min(ms), max(ms)", JSONS,
     "count(*)=4 n=4 sum(ms)=60.5 avg(ms)=20.1667 min(ms)=10 max(ms)=30"},
    {"stats count(*) as n by level", JSONS, "level=ERROR n=2|level=INFO n=2"},
    {"stats count(*) as n by bin(1m)", JSONS,
     "bin(1m)=2023-11-14 22:15:00.000 n=1|bin(1m)=2023-11-14 22:14:00.000 n=1|bin(1m)=2023-11-14 "
     "22:13:00.000 n=2"},
    {"stats max(ms) as m by bin(1h) as hour, user.name as who | sort m desc | limit 1", JSONS,
     "hour=2023-11-14 22:00:00.000 who=ann m=30"},
    {"stats count_distinct(user.name), median(ms), pct(ms, 90), stddev(ms)", JSONS,
     "count_distinct(user.name)=2 median(ms)=20.5 pct(ms, 90)=30 stddev(ms)=8.1684"},
    {"stats earliest(ms), latest(ms), sortsFirst(user.name), sortsLast(user.name)", JSONS,
     "earliest(ms)=10 latest(ms)=x sortsFirst(user.name)=ann sortsLast(user.name)=bob"},
    {"stats sum(ms) / count(*) * 100 as x, max(ms) - min(ms) as y", JSONS, "x=1512.5 y=20"},
    {"stats count(*) as n by user.name | stats max(n) as most", JSONS, "most=2"},
    {"stats count(*) by level | sort `count(*)` desc, level asc | limit 1", JSONS,
     "level=ERROR count(*)=2"},
    {"stats count(*) by level | sort count(*) desc, level desc | limit 1", JSONS,
     "level=INFO count(*)=2"},
    {"stats count(*) as n by level | filter n > 1 | fields n * 2 as twice", JSONS,
     "level=ERROR n=2 twice=4|level=INFO n=2 twice=4"},
    {"filter level = 'NONE' | stats count(*)", JSONS, ""},
    {"stats count() by bin(5m)", JSONS,
     "bin(5m)=2023-11-14 22:15:00.000 count()=1|bin(5m)=2023-11-14 22:10:00.000 count()=3"},
    {"stats count(*) as n by datefloor(@timestamp, 1mo) as m", JSONS,
     "m=2023-11-01 00:00:00.000 n=4"},
    {"stats max(@timestamp) as t, latest(@timestamp) as l", JSONS,
     "t=1700000120000 l=2023-11-14 22:15:20.000"},
    /* what parse and unnest make is told */
    {"fields level | parse ip '*.*' as a, b | filter ispresent(a) | limit 1", JSONS,
     "level=INFO a=10 b=0.3.4"},
    {"parse level '*R' as first | filter ispresent(first) | limit 1", JSONS,
     "@timestamp=2023-11-14 22:14:20.000 @message=*"},
    {"parse ip '*.*' as @message, b | filter ispresent(b)", JSONS,
     "@timestamp=2023-11-14 22:13:20.000 @message=10 b=0.3.4"},
    {"display level | parse ip '*.*' as a, b | filter ispresent(a) | limit 1", JSONS, "level=INFO"},
    {"stats count(*) as n by level | parse level '*RR' as a | sort n, level asc", JSONS,
     "level=ERROR n=2 a=E|level=INFO n=2"},
    {"fields jsonParse('[1,2]') as l, ms | unnest l into i | filter ms = 10", JSONS,
     "l=[1,2] ms=10 i=1|l=[1,2] ms=10 i=2"},
    /* samples of AWS's documentation */
    {"filter @type = \"REPORT\" | stats max(@memorySize / 1000 / 1000) as provisioned, "
     "max(@maxMemoryUsed / 1000 / 1000) as used, provisioned - used as over",
     TEXTS, "provisioned=128 used=60 over=68"},
    {"FIELDS strlen(level) AS len | STATS sum(len)/1024/1024 as mb BY bin(5m) | STATS max(mb) AS "
     "peak, "
     "min(mb) AS least",
     JSONS, "peak=0 least=0"},
    {"STATS count(*) AS n BY level | FILTER n > 1 AND level LIKE 'ERR' | SORT n DESC", JSONS,
     "level=ERROR n=2"},
    {"parse @message \"user=*, method:*, latency := *\" as @user, @method, @latency | stats "
     "avg(@latency) by @method, @user",
     TEXTS, "|@method=GET @user=ann avg(@latency)=7|@method=PUT @user=bob avg(@latency)=12"},
    {"filter @type = 'REPORT' | fields @requestId, @billedDuration | sort by @billedDuration desc",
     TEXTS, "@requestId=" UUID " @billedDuration=13"},
    {"filter isIpv4InSubnet(ip, \"10.0.0.0/8\") | stats sum(ms) as s by user.name | sort s desc | "
     "limit 15",
     JSONS, "user.name=ann s=10"},
    {"stats count(*) by bin(1h) as t | sort t", JSONS, "t=2023-11-14 22:00:00.000 count(*)=4"},
    {"filter (level=\"INFO\" or level=\"WARN\") and ms in [ 10, 11 ] | display user.name", JSONS,
     "user.name=ann"},
    {"stats avg(ms), max(ms), min(ms) by level | sort avg(ms) desc | limit 1", JSONS,
     "level=ERROR avg(ms)=25.25 max(ms)=30 min(ms)=20.5"},
    {"fields ms/10 as tenth, ms*2 | filter tenth>=2 and tenth<=2.5", JSONS, "tenth=2.05 ms*2=41"},
    /* dedup */
    {"fields level, ms | dedup level", JSONS, "level=INFO ms=x|level=ERROR ms=30"},
    {"fields level, ms | sort ms asc | dedup level | limit 1", JSONS, "level=INFO ms=x"},
    {"fields absent, user.name as who | dedup absent, who", JSONS, "|who=ann|who=bob|who=ann"},
    {"fields user.name as who | dedup who", JSONS, "|who=ann|who=bob"},
    /* functions and operators */
    {"fields 1 + 2 * 3 as a, (1 + 2) * 3 as b, 2 ^ 3 as c, 10 % 3 as d, -4 + 1 as e, 7 / 2 as f, 1 "
     "/ 0 as g | limit 1",
     JSONS, "a=7 b=9 c=8 d=1 e=-3 f=3.5"},
    {"fields abs(-2) as a, ceil(1.2) as b, floor(1.8) as c, greatest(1, 5, 3) as d, least(4, 2) as "
     "e, sqrt(9) as f, log(1) as g, sqrt(-1) as h | limit 1",
     JSONS, "a=2 b=2 c=1 d=5 e=2 f=3 g=0"},
    {"fields isempty('') as a, isempty(absent) as b, isblank('  ') as c, isempty('x') as d, "
     "ispresent(level) as e | limit 1",
     JSONS, "a=1 b=1 c=1 d=0 e=1"},
    {"fields concat('a', 1, 'b') as a, trim('  x ') as b, ltrim('xxa', 'x') as c, rtrim('axx', "
     "'x') as d, strlen('h\xc3\xa9') as e, toupper('ab') as f, "
     "tolower('AB') as g | limit 1",
     JSONS, "a=a1b b=x c=a d=a e=2 f=AB g=ab"},
    {"fields substr('hello', 1) as a, substr('hello', 1, 3) as b, replace('aXbX', 'X', '--') as c, "
     "strcontains('abc', 'b') as d, strcontains('abc', 'z') as e | "
     "limit 1",
     JSONS, "a=ello b=ell c=a--b-- d=1 e=0"},
    {"fields toMillis(@timestamp) as a, fromMillis(1700000000000) as b, datefloor(@timestamp, 1h) "
     "as c, dateceil(@timestamp, 1d) as d, now() as e | limit 1",
     JSONS,
     "a=1700000120000 b=2023-11-14 22:13:20.000 c=2023-11-14 22:00:00.000 d=2023-11-15 "
     "00:00:00.000 e=1700001000"},
    {"fields isValidIp(ip) as a, isValidIpV4(ip) as b, isValidIpV6(ip) as c, isIpv4InSubnet(ip, "
     "'10.0.0.0/16') as d, isIpv6InSubnet(ip, '::/64') as e, "
     "isIpInSubnet(ip, '10.0.3.0/31') as f | filter ispresent(ip) | sort @timestamp asc",
     JSONS, "a=1 b=1 c=0 d=1 e=0 f=0|a=1 b=0 c=1 d=0 e=1 f=0"},
    {"fields coalesce(absent, user.name, 'nobody') as a | limit 2", JSONS, "a=nobody|a=ann"},
    {"fields if(ms > 15, 'slow', 'fast') as a, case(ms = 10, 'ten', ms = 30, 'thirty', 'other') as "
     "b | sort @timestamp asc | limit 3",
     JSONS, "a=fast b=ten|a=slow b=other|a=slow b=thirty"},
    {"fields 0.1 + 0.2 as a, 1e6 * 1e6 as b, 2 ^ 60 as c | limit 1", JSONS,
     "a=0.3 b=1000000000000 c=1152921504606846976"},
    {"fields level like 'INF' as a, level = 'INFO' and ms > 1 as b | sort @timestamp asc | limit 1",
     JSONS, "a=1 b=1"},
    {"fields 'it''s' as a | limit 1", JSONS, NULL},
    {"fields 'it\\'s' as a, \"say \\\"x\\\"\" as b | limit 1", JSONS, "a=it's b=say \"x\""},
};

static struct str render(struct arena *a, const struct insights_run *run)
{
    struct buf b;
    buf_init_arena(&b, a, 1 << 20);
    for (size_t i = 0; i < insights_run_rows(run); i++) {
        struct insights_field *v;
        struct str ref;
        size_t n;
        assert_int_equal(insights_run_row(run, i, a, &v, &n, &ref), ERR_OK);
        if (i > 0)
            buf_add_c(&b, "|");
        for (size_t k = 0; k < n; k++)
            buf_add_fmt(&b, "%s" STR_FMT "=" STR_FMT, k > 0 ? " " : "", STR_ARG(v[k].name),
                        STR_ARG(v[k].value));
    }
    return buf_str(&b);
}

static void queries(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        const struct insights_query *q;
        struct insights_fault fault;
        struct insights_run *run;
        bool matched;
        arena_init(&a, 8 << 20);
        enum err err = insights_parse(&a, str_c(rows[i].query), &q, &fault);
        if (!rows[i].want) {
            assert_int_equal(err, ERR_INVALID);
            arena_release(&a);
            continue;
        }
        if (err)
            fail_msg("%s: " STR_FMT, rows[i].query, STR_ARG(fault.message));
        assert_int_equal(insights_run_new(q, BYTES, 10000, 1700001000000, &run), ERR_OK);
        const struct insights_event *const of[] = {json_events, text_events, list_events};
        const size_t many[] = {ARRAY_LEN(json_events), ARRAY_LEN(text_events),
                               ARRAY_LEN(list_events)};
        const struct insights_event *v = of[rows[i].of];
        size_t n = many[rows[i].of];
        for (size_t k = 0; k < n; k++)
            assert_int_equal(insights_run_event(run, &v[k], &matched), ERR_OK);
        assert_int_equal(insights_run_end(run), ERR_OK);
        struct str got = render(&a, run);
        struct str want = str_c(rows[i].want);
        bool as = str_ends(want, STR("*")) ? str_starts(got, str_sub(want, 0, want.len - 1))
                                           : str_eq(got, want);
        if (!as)
            fail_msg("%s\n  got  " STR_FMT "\n  want %s", rows[i].query, STR_ARG(got),
                     rows[i].want);
        insights_run_free(run);
        arena_release(&a);
    }
}

static void faults(void **state)
{
    static const struct {
        const char *query, *message;
        size_t from, to;
    } bad[] = {
        {"fields", "unexpected end of query found at line 1 and position 7", 6, 6},
        {"fields @timestamp |", "unexpected end of query found at line 1 and position 20", 19, 19},
        {"fields @timestamp\n| sort", "unexpected end of query found at line 2 and position 7", 24,
         24},
        {"foo bar", "unexpected symbol found foo at line 1 and position 1", 0, 3},
        {"filter a = ", "unexpected end of query found at line 1 and position 12", 11, 11},
        {"filter a = = b", "unexpected symbol found = at line 1 and position 12", 11, 12},
        {"filter (a = 1", "unexpected end of query found at line 1 and position 14", 13, 13},
        {"filter a like /x", "unexpected symbol found / at line 1 and position 15", 14, 15},
        {"filter a like /(/", "invalid regular expression found at line 1 and position 15", 14, 17},
        {"filter a = 'x", "unexpected symbol found ' at line 1 and position 12", 11, 13},
        {"stats a by b", "unexpected symbol found by at line 1 and position 9", 8, 10},
        {"stats sum() by b", "unexpected symbol found ) at line 1 and position 11", 10, 11},
        {"stats pct(a) by b", "unexpected symbol found ) at line 1 and position 12", 11, 12},
        {"stats pct(a, 101)", "unexpected symbol found 101 at line 1 and position 14", 13, 16},
        {"stats sum(max(a))", "unexpected symbol found max at line 1 and position 11", 10, 14},
        {"filter count(*) > 1", "unexpected symbol found count at line 1 and position 8", 7, 13},
        {"fields nope(a)", "unknown function nope found at line 1 and position 8", 7, 11},
        {"fields strlen(a, b)",
         "wrong number of arguments of function strlen found at line 1 and position 8", 7, 19},
        {"fields bin(@timestamp)",
         "invalid arguments of function bin found at line 1 and position 8", 7, 22},
        {"fields strlen(5m)", "invalid arguments of function strlen found at line 1 and position 8",
         7, 17},
        {"limit 0", "unexpected symbol found 0 at line 1 and position 7", 6, 7},
        {"limit x", "unexpected symbol found x at line 1 and position 7", 6, 7},
        {"limit 100001", "unexpected symbol found 100001 at line 1 and position 7", 6, 12},
        {"parse @message 'a=*' as a, b",
         "different numbers of wildcards and fields of a glob expression found at line 1 and "
         "position 16",
         15, 20},
        {"parse @message /a(.)/", "no named groups found at line 1 and position 16", 15, 21},
        {"parse @message", "unexpected end of query found at line 1 and position 15", 14, 14},
        {"dedup a | sort b", "unexpected symbol found sort at line 1 and position 11", 10, 14},
        {"pattern @message",
         "command pattern, which Weir does not support, found at line 1 and position 1", 0, 7},
        {"fields a | unmask b",
         "command unmask, which Weir does not support, found at line 1 and position 12", 11, 17},
        {"source x", "unexpected symbol found x at line 1 and position 8", 7, 8},
        {"SOURCE logGroups(", "unexpected end of query found at line 1 and position 18", 17, 17},
        {"SOURCE logGroups(name: ['a'])", "unexpected symbol found name at line 1 and position 18",
         17, 21},
        {"SOURCE logGroups(namePrefix: [])", "unexpected symbol found ] at line 1 and position 31",
         30, 31},
        {"SOURCE logGroups(namePrefix: ['a','b','c','d','e','f'])",
         "too many values found at line 1 and position 51", 50, 53},
        {"SOURCE logGroups(class: ['DELIVERY'])",
         "unknown class DELIVERY found at line 1 and position 25", 24, 36},
        {"SOURCE logGroups(accountIdentifiers: ['1'])",
         "accountIdentifiers, which Weir does not support, found at line 1 and position 18", 17,
         35},
        {"SOURCE logGroups() fields a", "unexpected symbol found fields at line 1 and position 20",
         19, 25},
        {"fields a | SOURCE logGroups()",
         "unexpected symbol found SOURCE at line 1 and position 12", 11, 17},
        {"filterIndex level = 'x'",
         "field level, which has no index, found at line 1 and position 13", 12, 17},
        {"filterIndex @logStream like 'x'",
         "other expression than of an indexed field found at line 1 and position 13", 12, 31},
        {"filterIndex @logStream = a",
         "other expression than of an indexed field found at line 1 and position 13", 12, 26},
        {"unnest a", "unexpected end of query found at line 1 and position 9", 8, 8},
        {"unnest a as b", "unexpected symbol found as at line 1 and position 10", 9, 11},
        {"unnest a into", "unexpected end of query found at line 1 and position 14", 13, 13},
        {"fields a[0]", "unexpected symbol found [ at line 1 and position 9", 8, 9},
        {"fields 1 as a | display a[x]", "unexpected symbol found x at line 1 and position 27", 26,
         27},
        {"fields 1 as a | display a[1.5]", "unexpected symbol found 1.5 at line 1 and position 27",
         26, 29},
        {"fields 1 as a | display a[1", "unexpected end of query found at line 1 and position 28",
         27, 27},
        {"fields a. | limit 1", "unexpected symbol found | at line 1 and position 11", 10, 11},
        {"stats count(*) as a | stats max(a) as b | stats max(b)",
         "too many stats commands found at line 1 and position 49", 48, 51},
        {"fields a b", "unexpected symbol found b at line 1 and position 10", 9, 10},
        {"fields a as", "unexpected end of query found at line 1 and position 12", 11, 11},
        {"filter a not = 1", "unexpected symbol found = at line 1 and position 14", 13, 14},
        {"filter a in []", "unexpected symbol found ] at line 1 and position 14", 13, 14},
        {"sort a up", "unexpected symbol found up at line 1 and position 8", 7, 9},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct arena a;
        const struct insights_query *q;
        struct insights_fault f;
        arena_init(&a, 8 << 20);
        assert_int_equal(insights_parse(&a, str_c(bad[i].query), &q, &f), ERR_INVALID);
        if (!str_eq_c(f.message, bad[i].message) || f.from != bad[i].from || f.to != bad[i].to)
            fail_msg("%s: " STR_FMT " %zu..%zu", bad[i].query, STR_ARG(f.message), f.from, f.to);
        arena_release(&a);
    }
}

/* Many rows of one event. */
static void unnests_many(void **state)
{
    static const struct {
        int times;
        enum err want;
    } runs[] = {{2, ERR_OK}, {3, ERR_LIMIT}}; /* 100 to that power, and what came before */
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        struct arena a;
        const struct insights_query *q;
        struct insights_fault f;
        struct insights_run *run;
        struct insights_event e = json_events[0];
        struct buf text, list;
        bool matched;
        arena_init(&a, 8 << 20);
        buf_init_arena(&text, &a, INSIGHTS_BYTES_MAX);
        buf_init_arena(&list, &a, INSIGHTS_BYTES_MAX);
        buf_add_c(&list, "[0");
        for (int k = 1; k < 100; k++)
            buf_add_fmt(&list, ",%d", k);
        buf_add_c(&list, "]");
        e.message = buf_str(&list);
        buf_add_c(&text, "fields jsonParse(@message) as l");
        for (int k = 0; k < runs[i].times; k++)
            buf_add_fmt(&text, " | unnest l into i%d", k);
        buf_add_c(&text, " | stats count(*) as n");
        assert_int_equal(insights_parse(&a, buf_str(&text), &q, &f), ERR_OK);
        assert_int_equal(insights_run_new(q, BYTES, 10000, 0, &run), ERR_OK);
        assert_int_equal(insights_run_event(run, &e, &matched), runs[i].want);
        if (runs[i].want == ERR_OK) {
            assert_int_equal(insights_run_end(run), ERR_OK);
            assert_string_equal(str_cstr(&a, render(&a, run)), "n=10000");
        }
        insights_run_free(run);
        arena_release(&a);
    }
}

static void sources(void **state)
{
    static const struct {
        const char *query;
        bool set, standard;
        size_t prefixes;
    } all[] = {
        {"fields a", false, false, 0},
        {"SOURCE logGroups()", true, true, 0},
        {"SOURCE logGroups(namePrefix: ['p0', \"p1\"]) | fields a", true, true, 2},
        {"SOURCE logGroups(class: ['INFREQUENT_ACCESS'], namePrefix: ['p0'])", true, false, 1},
        {"SOURCE logGroups(class: ['INFREQUENT_ACCESS', 'STANDARD'])", true, true, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct arena a;
        const struct insights_query *q;
        struct insights_fault f;
        arena_init(&a, 8 << 20);
        assert_int_equal(insights_parse(&a, str_c(all[i].query), &q, &f), ERR_OK);
        const struct insights_source *s = insights_source_of(q);
        assert_true(s->is_set == all[i].set && s->standard == all[i].standard);
        assert_int_equal(s->n_prefixes, all[i].prefixes);
        for (size_t k = 0; k < s->n_prefixes; k++)
            assert_true(str_eq(s->prefixes[k], str_fmt(&a, "p%zu", k)));
        arena_release(&a);
    }
}

/* A run keeps within what it was given, and says so where it cannot. */
static void limits(void **state)
{
    static const struct {
        const char *query;
        enum err want;
    } heavy[] = {
        {"fields @message", ERR_LIMIT},
        {"fields @message | limit 5", ERR_OK},
        {"stats count(*) by @message", ERR_LIMIT},
        {"stats count_distinct(@message)", ERR_LIMIT},
        {"stats pct(@timestamp, 50), sum(@timestamp)", ERR_OK},
        {"fields @message | dedup @message | limit 1", ERR_LIMIT},
    };
    for (size_t i = 0; i < ARRAY_LEN(heavy); i++) {
        struct arena a;
        const struct insights_query *q;
        struct insights_fault f;
        struct insights_run *run;
        enum err err = ERR_OK;
        char text[64];
        bool matched;
        arena_init(&a, 8 << 20);
        assert_int_equal(insights_parse(&a, str_c(heavy[i].query), &q, &f), ERR_OK);
        assert_int_equal(insights_run_new(q, 256 << 10, 10000, 0, &run), ERR_OK);
        for (int k = 0; k < 20000 && err == ERR_OK; k++) {
            struct insights_event e = json_events[0];
            e.timestamp_ms = k;
            e.message = str_n(text, (size_t)snprintf(text, sizeof(text), "message number %d", k));
            err = insights_run_event(run, &e, &matched);
        }
        if (err == ERR_OK)
            err = insights_run_end(run);
        if (err != heavy[i].want)
            fail_msg("%s: %s", heavy[i].query, err_name(err));
        insights_run_free(run);
        arena_release(&a);
    }
}

static void deep(void **state)
{
    char text[INSIGHTS_BYTES_MAX + 2];
    static const char *const units[] = {"(", "-", "not ", "2^", "concat(", "a and "};
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        struct arena a;
        const struct insights_query *q;
        struct insights_fault f;
        size_t n = (size_t)snprintf(text, sizeof(text), "filter ");
        while (n + strlen(units[i]) < INSIGHTS_BYTES_MAX)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", units[i]);
        arena_init(&a, 8 << 20);
        assert_int_equal(insights_parse(&a, str_n(text, n), &q, &f), ERR_INVALID);
        memset(text + n, ' ', sizeof(text) - n);
        assert_int_equal(insights_parse(&a, str_n(text, INSIGHTS_BYTES_MAX + 1), &q, &f),
                         ERR_LIMIT);
        arena_release(&a);
    }
}

static void discovers(void **state)
{
    struct arena a;
    struct insights_field *v;
    size_t n;
    struct buf b;
    arena_init(&a, 8 << 20);
    assert_int_equal(insights_discover(&a, &json_events[0], &v, &n), ERR_OK);
    buf_init_arena(&b, &a, 1 << 16);
    for (size_t i = 0; i < n; i++)
        if (!str_eq_c(v[i].name, "@message"))
            buf_add_fmt(&b, STR_FMT "=" STR_FMT " ", STR_ARG(v[i].name), STR_ARG(v[i].value));
    assert_string_equal(str_cstr(&a, buf_str(&b)),
                        "@timestamp=1700000000000 @ingestionTime=1700000000005 @logStream=s1 "
                        "@log=000000000000:g level=INFO ms=10 user.name=ann user.tags.0=x "
                        "user.tags.1=y ip=10.0.3.4 ");
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries), cmocka_unit_test(faults),    cmocka_unit_test(limits),
        cmocka_unit_test(deep),    cmocka_unit_test(discovers), cmocka_unit_test(unnests_many),
        cmocka_unit_test(sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
