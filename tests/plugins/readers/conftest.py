"""Files of powder diffractometers, written by their documented formats."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

ANGLES = 10 + 0.02 * np.arange(40)
COUNTS = np.random.default_rng(3).poisson(50, 40) + 400 * (np.arange(40) == 17)
WAVES = (1.540598, 1.544426)


def measured_folder() -> Path | None:
    """Measured files of others, which lie beside the checkout of who has them."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "measured" / "formats").is_dir():
            return parent / "shared" / "measured"
    return None


MEASURED = measured_folder()
needs_measured = pytest.mark.skipif(MEASURED is None, reason="measured files are not here")


def xrdml(scans=1, intended="K-Alpha", tag="intensities", unit="counts") -> bytes:
    def scan(number):
        low, high = ANGLES[0] + number, ANGLES[-1] + number
        return f"""<scan appendNumber="{number}" mode="Continuous" scanAxis="Gonio">
<header><startTimeStamp>2020-11-06T18:09:37+00:00</startTimeStamp></header><dataPoints>
<positions axis="2Theta" unit="deg"><startPosition>{low:.5f}</startPosition>
<endPosition>{high:.5f}</endPosition></positions>
<commonCountingTime unit="seconds">15.24</commonCountingTime>
<{tag} unit="{unit}">{" ".join(map(str, COUNTS + number))}</{tag}></dataPoints></scan>"""

    return f"""<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5" status="Completed">
<sample type="To be analyzed"><id>S-1</id><name>anatase</name></sample>
<xrdMeasurement measurementType="Scan" status="Completed"><usedWavelength intended="{intended}">
<kAlpha1 unit="Angstrom">{WAVES[0]}</kAlpha1><kAlpha2 unit="Angstrom">{WAVES[1]}</kAlpha2>
<kBeta unit="Angstrom">1.39225</kBeta><ratioKAlpha2KAlpha1>0.5</ratioKAlpha2KAlpha1>
</usedWavelength><incidentBeamPath><xRayTube><tension unit="kV">40</tension>
<current unit="mA">40</current><anodeMaterial>Cu</anodeMaterial></xRayTube></incidentBeamPath>
{"".join(map(scan, range(scans)))}</xrdMeasurement></xrdMeasurements>""".encode()


def ras(count="40", scans=1, factor=1) -> bytes:
    rows = "\n".join(f"{a:.4f} {c:.4f} {factor:.4f}" for a, c in zip(ANGLES, COUNTS, strict=True))
    one = f"""*RAS_HEADER_START
*FILE_SAMPLE "Prüfling"
*HW_XG_TARGET_NAME "Co"
*HW_XG_WAVE_LENGTH_ALPHA1 "1.788965"
*HW_XG_WAVE_LENGTH_ALPHA2 "1.792850"
*MEAS_DATA_COUNT "{count}"
*MEAS_SCAN_AXIS_X "TwoThetaTheta"
*MEAS_SCAN_MODE "CONTINUOUS"
*MEAS_SCAN_SPEED "8.0000"
*MEAS_SCAN_SPEED_UNIT "deg/min"
*MEAS_SCAN_STEP "0.0200"
*MEAS_SCAN_UNIT_Y "counts"
*RAS_HEADER_END
*RAS_INT_START
{rows}
*RAS_INT_END
"""
    return f"*RAS_DATA_START\n{one * scans}*RAS_DATA_END\n".encode("cp1252")


def rasx(wave_type="Ka", order=("Data0/Profile0.txt", "Data0/MesurementConditions0.xml")) -> bytes:
    rows = "\r\n".join(f"{a:.4f}\t{c}\t1" for a, c in zip(ANGLES, COUNTS, strict=True))
    members = {
        "Data0/Profile0.txt": "\ufeff" + rows,
        "Data0/MesurementConditions0.xml": f"""<?xml version="1.0" encoding="utf-8"?>
<MeasurementConditions><GeneralInformation><SampleName>anatase</SampleName>
<SystemName>SmartLab</SystemName></GeneralInformation><HWConfigurations><XrayGenerator>
<TargetName>Cu</TargetName><WaveType>{wave_type}</WaveType>
<WavelengthKalpha1>1.540593</WavelengthKalpha1><WavelengthKalpha2>1.544414</WavelengthKalpha2>
</XrayGenerator></HWConfigurations><ScanInformation><AxisName>TwoTheta</AxisName>
<Mode>CONTINUOUS</Mode><Start>10.0000</Start><Stop>10.7800</Stop><Step>0.0200</Step>
<Speed>2.0000</Speed><SpeedUnit>deg/min</SpeedUnit><PositionUnit>deg</PositionUnit>
<IntensityUnit>counts</IntensityUnit></ScanInformation></MeasurementConditions>""",
        "root.xml": """<?xml version="1.0"?><Root><Data0 Type="Profile">
<ContentHashList Name="Profile0.txt"/><ContentHashList Name="MesurementConditions0.xml"/></Data0>
</Root>""",
    }
    return packed({name: members[name] for name in (*order, "root.xml")})


def brml() -> bytes:
    rows = "".join(
        f"<Datum>96,1,{a:.4f},{a / 2:.4f},{c}</Datum>" for a, c in zip(ANGLES, COUNTS, strict=True)
    )
    raw = f"""<?xml version="1.0" encoding="utf-8"?>
<RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><TimeStampStarted>2021-05-01T10:00:00
</TimeStampStarted><FixedInformation><Instrument><PrimaryTracks><TrackInfo><MountedOptics>
<InfoData><Tube><TubeMaterial>Cu</TubeMaterial><WaveLengthAlpha1 Unit="Å" Value="1.5406"/>
<WaveLengthAlpha2 Unit="Å" Value="1.54439"/><WaveLengthRatio Unit="" Value="0.5"/></Tube>
</InfoData></MountedOptics></TrackInfo></PrimaryTracks></Instrument></FixedInformation>
<DataRoutes><DataRoute RouteFlag="Final"><Information><DetectorInfo/></Information>
<ScanInformation VisibleName="Coupled TwoTheta/Theta"><TimePerStep>96</TimePerStep>
<MeasurementPoints>40</MeasurementPoints><ScanAxes>
<ScanAxisInfo AxisId="TwoTheta" AxisName="2Theta" VisibleName="2Theta">
<Start>10</Start><Stop>10.78</Stop><Increment>0.02</Increment></ScanAxisInfo>
<ScanAxisInfo AxisId="Theta" AxisName="Theta" VisibleName="Theta">
<Start>5</Start><Stop>5.39</Stop><Increment>0.01</Increment></ScanAxisInfo>
</ScanAxes></ScanInformation><DataViews>
<RawDataView Start="0" Length="1" xsi:type="FixedRawDataView" LogicName="MeasuredTime"/>
<RawDataView Start="1" Length="1" xsi:type="FixedRawDataView" LogicName="AbsorptionFactor"/>
<RawDataView Start="2" Length="2" xsi:type="VaryingRawDataView"><Varying>
<FieldDefinitions FieldName="TwoTheta" AxisId="TwoTheta"/>
<FieldDefinitions FieldName="Theta" AxisId="Theta"/></Varying></RawDataView>
<RawDataView Start="4" Length="1" xsi:type="RecordedRawDataView"><Recording>
<Unit Prefix="None" Base="Counts"/></Recording></RawDataView></DataViews>
{rows}</DataRoute></DataRoutes></RawData>"""
    container = """<?xml version="1.0" encoding="utf-8"?><DataContainer><RawDataReferenceList>
<string>Experiment0/RawData0.xml</string></RawDataReferenceList></DataContainer>"""
    return packed({"Experiment0/DataContainer.xml": container, "Experiment0/RawData0.xml": raw})


def packed(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def raw_1() -> bytes:
    content = bytearray(156)
    content[:4] = b"RAW "
    struct.pack_into("<If", content, 4, 40, 12.0)
    struct.pack_into("<f", content, 12, 0.02)
    struct.pack_into("<f", content, 24, 10.0)
    content[40:47] = b"anatase"
    struct.pack_into("<2f", content, 72, *WAVES)
    return bytes(content) + COUNTS.astype("<f4").tobytes()


def raw_2() -> bytes:
    content = bytearray(256)
    content[:4] = b"RAW2"
    struct.pack_into("<H", content, 4, 1)
    content[168:188] = b"01-MAY-2003 10:00:00"
    content[188:190] = b"CU"
    struct.pack_into("<3f", content, 190, *WAVES, 0.5)
    head = bytearray(52)
    struct.pack_into("<2H", head, 0, 52, 40)
    struct.pack_into("<3f", head, 8, 12.0, 0.02, 10.0)
    return bytes(content + head) + COUNTS.astype("<f4").tobytes()


def raw_3(ranges=1) -> bytes:
    content = bytearray(712)
    content[:8] = b"RAW1.01\0"
    struct.pack_into("<2I", content, 8, 1, ranges)
    content[16:26], content[26:36] = b"05/01/2003", b"10:00:00\0\0"
    content[326:333] = b"anatase"
    content[608:610] = b"Cu"
    struct.pack_into("<5d", content, 616, 1.54184, *WAVES, 1.39222, 0.5)
    for number in range(ranges):
        head = bytearray(304)
        struct.pack_into("<2I2d", head, 0, 304, 40, 5.0, 10.0 + number)
        struct.pack_into("<d", head, 176, 0.02)
        struct.pack_into("<f", head, 192, 12.0)
        struct.pack_into("<d", head, 240, 1.540598)
        struct.pack_into("<I", head, 252, 4)
        content += head + (COUNTS + number).astype("<f4").tobytes()
    return bytes(content)


def raw_4(ranges=1) -> bytes:
    content = bytearray(61)
    content[:8] = b"RAW4.00\0"
    content[12:22], content[24:32] = b"07/11/2018", b"15:55:31"
    struct.pack_into("<4I", content, 36, 1, ranges, ranges, 0)
    text = bytearray(28) + b"anatase"
    text[4:12] = b"SAMPLEID"
    content += struct.pack("<2I", 10, 8 + len(text)) + text
    beam = bytearray(128)
    struct.pack_into("<5d", beam, 64, 1.54184, *WAVES, 1.39222, 0.5)
    beam[108:110], beam[112:113] = b"Cu", b"A"
    content += struct.pack("<2I", 30, 8 + len(beam)) + beam
    for number in range(ranges):
        head = bytearray(160)
        struct.pack_into("<4I", head, 0, 0, 40, 40, 2)
        head[32:46] = b"Locked Coupled"
        struct.pack_into("<2dIf", head, 72, 10.0 + number, 0.02, 40, 77.9)
        struct.pack_into("<d", head, 112, 1.540598)
        struct.pack_into("<2I", head, 136, 4, 0)
        content += head + (COUNTS + number).astype("<f4").tobytes()
    return bytes(content)


def uxd(data="COUNTS", ranges=1) -> bytes:
    head = f"""; C:\\DATA\\anatase.raw - (Diffrac AT V1) File converted by XCH V1.0
_FILEVERSION=2
_SAMPLE='anatase'
_ANODE='Cu'
_WL1={WAVES[0]}
_WL2={WAVES[1]}
_WLRATIO=0.500000
"""
    for number in range(ranges):
        low = 10 + number
        body = "\n".join(
            "  ".join(f"{c:8d}" for c in COUNTS[place : place + 8]) for place in range(0, 40, 8)
        )
        if data.startswith("2THETA"):
            pairs = zip(ANGLES + number, COUNTS, strict=True)
            body = "\n".join(f" {a:9.4f}  {c:8d}" for a, c in pairs)
        head += f"""; (Data for Range number {number + 1})
_DRIVE='COUPLED'
_STEPTIME=12.000000
_STEPSIZE=0.020000
_STEPMODE='C'
_START={low}.000000
_2THETA={low}.000000
_{data}
{body}
"""
    return head.encode("cp1252")


def gsas(kind="STD") -> bytes:
    if kind == "FXYE":
        rows = "\n".join(
            f"{100 * a:12.3f} {c:12.3f} {c**0.5:10.3f}" for a, c in zip(ANGLES, COUNTS, strict=True)
        )
        bank = "BANK 1 40 40 CONST 1000.0 2.0 0 0 FXYE"
    else:
        rows = "\n".join(
            "".join(f"{c:8d}" for c in COUNTS[place : place + 10]) for place in range(0, 40, 10)
        )
        bank = "BANK 1 40 4 CONST 1000.0 2.0 0 0 STD"
    lines = ["anatase at 300 K".ljust(80), bank.ljust(80), *rows.splitlines()]
    return ("\n".join(lines) + "\n").encode()


def xy(separator=" ", decimal=".", head="") -> bytes:
    rows = (
        f"{a:.4f}".replace(".", decimal) + separator + str(c)
        for a, c in zip(ANGLES, COUNTS, strict=True)
    )
    return (head + "\n".join(rows) + "\n").encode()


FILES = {
    "one.xrdml": xrdml(),
    "two.xrdml": xrdml(scans=2),
    "one.ras": ras(),
    "one.rasx": rasx(),
    "one.brml": brml(),
    "one.uxd": uxd(),
    "three.uxd": uxd("2THETACPS", ranges=3),
    "v1.raw": raw_1(),
    "v2.raw": raw_2(),
    "v3.raw": raw_3(2),
    "v4.raw": raw_4(),
    "gsas.raw": gsas(),
    "bank.fxye": gsas("FXYE"),
    "one.xy": xy(),
    "one.xye": xy(head="# Wavelength = 0.4137 Angstrom\n"),
    "named.csv": xy(",", head="two_theta,counts\n"),
}
"""One file of each kind and version; all are read."""
